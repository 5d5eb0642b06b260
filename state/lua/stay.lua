#!lua
-- Of sessions that have taken each other over in a circle, at one moment, one stays: it waits again, as if no other had
-- it.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  the session; ARGV[2] names of the ranks (see apply.lua)
-- Returns  1 when it waits now; 0 when it has not moved
-- include: lane_of, number_of, silent_since, text
local session, ranks = ARGV[1], ARGV[2]
local prefix, key = KEYS[1], KEYS[1] .. 'session:' .. session
local activity, signal, moved, state, silent, seen =
  unpack(redis.call('HMGET', key, 'activity', 'signal', 'moved', 'state', 'silent', 'seen'))
-- guard stay_superseded
if state ~= 'moved' then return 0 end
local a, s = number_of(activity), tonumber(signal or 0)
-- Up to the moment of the circle it can't be taken over any more: the same events may come again.
-- guard stay_stays: without 'stays', moved,
-- guard stay_moved: '0' => moved
redis.call('HSET', key, 'stays', moved, 'moved', '0')
-- guard stay_waits
redis.call('HDEL', key, 'state', 'moved_to')
if s <= a and not (silent or seen) then redis.call('HSET', key, 'activity', text(a)) end
local lane = lane_of(prefix, ranks, a, s)
-- guard stay_lane: lane then => false then
-- guard stay_silent: silent_since(silent, seen, math.max(a, s)) => 0
if lane then redis.call('ZADD', lane, text(silent_since(silent, seen, math.max(a, s))), session) end
return 1
