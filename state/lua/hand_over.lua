#!lua
-- A session is taken over by another one: it waits for nothing any more, and what is under way for it is called off.
-- KEYS[1]  prefix of the partition of the earlier session
-- ARGV[1]  the earlier session; ARGV[2] the one that takes it over; ARGV[3] sequence number of the event that says so;
--          ARGV[4] names of the ranks (see apply.lua)
-- Returns  the earlier session's hash, flat; and `under_way` 1 when a contact is just being made for it
-- include: _outreach
-- include: _move
local prefix, stamp = KEYS[1], tonumber(ARGV[3])
local key = prefix .. 'session:' .. ARGV[1]
local has = redis.call('HMGET', key, 'activity', 'signal', 'purchase', 'state', 'moved', 'moved_to', 'stays')
local a, s, p = number_of(has[1]), tonumber(has[2] or 0), tonumber(has[3] or 0)
if has[4] == 'forgotten' then return {} end
local moved = tonumber(has[5] or 0)
-- Of two at the same moment the same one takes it over, whichever comes first.
if stamp > tonumber(has[7] or 0) and (stamp > moved or stamp == moved and ARGV[2] > (has[6] or '')) then
  redis.call('HSET', key, 'moved', ARGV[3], 'moved_to', ARGV[2])
  if p <= a and math.max(a, s) <= stamp then
    if has[4] == 'abandoned' then call_off(prefix, key, 'moved') end
    local lane = not has[4] and lane_of(prefix, ARGV[4], a, s)
    if lane then redis.call('ZREM', lane, ARGV[1]) end
    redis.call('HSET', key, 'state', 'moved', unpack(has[1] and {'activity', marked(has[1])} or {}))
  end
  if redis.call('HGET', key, 'state') ~= 'abandoned' then redis.call('PEXPIRE', key, SESSION_TTL) end
end
local found, sending = redis.call('HGETALL', key), redis.call('HGET', key, 'sending')
if sending and redis.call('HGET', prefix .. 'outreach:' .. sending, 'state') == 'sending' then
  found[#found + 1] = 'under_way'
  found[#found + 1] = '1'
end
return found
