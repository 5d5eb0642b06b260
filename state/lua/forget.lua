#!lua flags=allow-oom
-- Erases a session and outreaches of one partition. Waiting outreaches are cancelled first, so that they are counted.
-- One that is `sending` leaves a skeleton without personal data, in which its worker records the result.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  session ('': only outreaches); ARGV[2] outreaches, separated by spaces; ARGV[3] names of all lanes, the same
--          way
-- Returns  {1 if the session existed, number of outreaches removed, number of skeletons left}
-- include: constants, clock, fields, finish, text
local session, named, lanes = ARGV[1], ARGV[2], ARGV[3]
local prefix, now, seen, removed, left, sending = KEYS[1], clock(), {}, 0, 0, false
local function erase(id)
  local key = prefix .. 'outreach:' .. id
  local state, was = redis.call('HGET', key, 'state'), nil
  if seen[id] or not state then return end
  seen[id] = true
  -- guard erase_counts: state == 'waiting' or state == 'leased' => false
  -- guard erase_leased: without or state == 'leased'
  if state == 'waiting' or state == 'leased' then finish(prefix, id, 'cancelled', 'forgotten', now) end
  -- guard skeleton: state == 'sending' => false
  if state == 'sending' then
    was = fields(key, 'token', 'attempts', 'takes', 'lane', 'session', 'ambiguous')
    left, sending = left + (was.session == '' and 0 or 1), id
  else
    removed = removed + 1
  end
  -- guard erase_body: without 'body:' ..
  redis.call('DEL', key, prefix .. 'body:' .. id)
  -- guard erase_dead
  redis.call('ZREM', prefix .. 'dead', id)
  -- guard erase_unknown
  redis.call('ZREM', prefix .. 'unknown', id)
  if was then
    redis.call('HSET', key, 'state', 'sending', 'session', '', 'token', was.token, 'attempts', was.attempts,
      'takes', was.takes, 'lane', was.lane, 'history', text(now) .. ' forgotten\n')
    -- An earlier attempt might have been a contact, so this one can't rule a contact out.
    -- guard keeps_ambiguous: was.ambiguous then => false then
    if was.ambiguous then redis.call('HSET', key, 'ambiguous', was.ambiguous) end
  end
end
local known = {}
local key = prefix .. 'session:' .. session
if session ~= '' then known = fields(key, 'outreach', 'outreaches', 'sending', 'state') end
-- guard erase_earlier: without .. ' ' .. (known.outreaches or '')
local all = (known.outreach or '') .. ' ' .. (known.outreaches or '') .. ' ' .. (known.sending or '') .. ' ' .. named
for id in string.gmatch(all, '%S+') do erase(id) end
-- Outcomes on their way to the feed stay, without the session.
local unmoved = prefix .. 'outcomes'
for _, member in ipairs(redis.call('ZRANGE', unmoved, '0', '-1')) do
  local is = cjson.decode(member)
  -- guard erase_outcomes: seen[is[2]] or is[6] == session => false
  -- guard erase_earlier_outcomes: without or is[6] == session
  if is[6] ~= '' and (seen[is[2]] or is[6] == session) then
    is[6] = ''
    redis.call('ZREM', unmoved, member)
    redis.call('ZADD', unmoved, is[1], cjson.encode(is))
  end
end
if session == '' then return {0, removed, left} end
-- guard erase_lanes: without redis.call('ZREM', prefix .. 'lane:' .. lane, session)
for lane in string.gmatch(lanes, '%S+') do redis.call('ZREM', prefix .. 'lane:' .. lane, session) end
local there = redis.call('DEL', key)
-- The tombstone replaces the session, so that applying events costs nothing extra (see precedes_tombstone.lua).
redis.call('HSET', key, 'state', 'forgotten', 'forgotten', text(now * 100 + 99))
-- guard erase_busy: sending then => false then
if sending then redis.call('HSET', key, 'sending', sending) end
-- guard erase_tombstone_ttl
redis.call('PEXPIRE', key, SESSION_TTL)
return {known.state == 'forgotten' and 0 or there, removed, left}
