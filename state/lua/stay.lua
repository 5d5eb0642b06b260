#!lua
-- Of sessions that have taken each other over in a circle, at one moment, one stays: it waits again, as if no other had it.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  the session; ARGV[2] names of the ranks (see apply.lua)
-- Returns  1 when it waits now; 0 when it has not moved
-- include: _outreach
-- include: _lane
local prefix, key = KEYS[1], KEYS[1] .. 'session:' .. ARGV[1]
local has = redis.call('HMGET', key, 'activity', 'signal', 'moved', 'state', 'silent', 'seen')
if has[4] ~= 'moved' then return 0 end
local a, s = number_of(has[1]), tonumber(has[2] or 0)
-- Up to the moment of the circle it can't be taken over any more: the same events may come again.
redis.call('HSET', key, 'stays', has[3], 'moved', '0')
redis.call('HDEL', key, 'state', 'moved_to')
if s <= a and not (has[5] or has[6]) then redis.call('HSET', key, 'activity', text(a)) end
local lane = lane_of(prefix, ARGV[2], a, s)
if lane then redis.call('ZADD', lane, text(silent_of(has[5], has[6], math.max(a, s))), ARGV[1]) end
return 1
