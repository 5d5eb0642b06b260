#!lua flags=allow-oom
-- Removes a session and outreaches of one partition for good. What waits is cancelled first, so that it is counted; of
-- what is `sending` a skeleton stays that tells nothing, in which its worker records how it ended.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  session ('': outreaches alone); ARGV[2] outreaches, a space between; ARGV[3] names of all lanes, likewise
-- Returns  {1 when the session was there, number of outreaches removed, number of skeletons left}
-- include: _outreach
local prefix, now, seen, removed, left, sending = KEYS[1], clock(), {}, 0, 0, false
local function erase(id)
  local key = prefix .. 'outreach:' .. id
  local state, was = redis.call('HGET', key, 'state'), nil
  if seen[id] or not state then return end
  seen[id] = true
  if state == 'waiting' or state == 'leased' then finish(prefix, id, 'cancelled', 'forgotten', now) end
  if state == 'sending' then
    was = redis.call('HMGET', key, 'claim', 'attempts', 'takes', 'lane', 'session', 'ambiguous')
    left, sending = left + (was[5] == '' and 0 or 1), id
  else
    removed = removed + 1
  end
  redis.call('DEL', key, prefix .. 'body:' .. id)
  redis.call('ZREM', prefix .. 'dead', id)
  redis.call('ZREM', prefix .. 'unknown', id)
  if was then
    redis.call('HSET', key, 'state', 'sending', 'session', '', 'claim', was[1], 'attempts', was[2], 'takes', was[3], 'lane',
      was[4], 'history', text(now) .. ' forgotten\n')
    -- An attempt before may have been a contact: whatever becomes of this one, nobody can say that there was none.
    if was[6] then redis.call('HSET', key, 'ambiguous', was[6]) end
  end
end
local known = {}
local key = prefix .. 'session:' .. ARGV[1]
if ARGV[1] ~= '' then known = redis.call('HMGET', key, 'outreach', 'outreaches', 'sending', 'state') end
for id in string.gmatch((known[1] or '') .. ' ' .. (known[2] or '') .. ' ' .. (known[3] or '') .. ' ' .. ARGV[2], '%S+') do erase(id) end
if ARGV[1] == '' then return {0, removed, left} end
for lane in string.gmatch(ARGV[3], '%S+') do redis.call('ZREM', prefix .. 'lane:' .. lane, ARGV[1]) end
local there = redis.call('DEL', key)
-- The tombstone: in the place of the session, so that applying events costs nothing more (see _forgotten.lua).
redis.call('HSET', key, 'state', 'forgotten', 'forgotten', text(now * 100 + 99))
if sending then redis.call('HSET', key, 'sending', sending) end
redis.call('PEXPIRE', key, SESSION_TTL)
return {known[4] == 'forgotten' and 0 or there, removed, left}
