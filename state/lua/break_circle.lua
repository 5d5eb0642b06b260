#!lua
-- Returns one session to its lane if sessions have superseded each other in a circle.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  the session; ARGV[2] names of the ranks (see apply.lua)
-- Returns  1 if it waits now; 0 if it hasn't moved
-- include: lane_of, number_of, silent_since, text
local session, ranks = ARGV[1], ARGV[2]
local prefix, key = KEYS[1], KEYS[1] .. 'session:' .. session
local activity, signal, superseded, state, silent, seen =
  unpack(redis.call('HMGET', key, 'activity', 'signal', 'superseded', 'state', 'silent', 'seen'))
-- guard circle_superseded
if state ~= 'superseded' then return 0 end
local a, s = number_of(activity), tonumber(signal or 0)
-- The circle must not supersede it again: the same events can be redelivered.
-- guard circle_stays: without 'circle_stamp', superseded,
-- guard circle_moved: '0' => superseded
redis.call('HSET', key, 'circle_stamp', superseded, 'superseded', '0')
-- guard circle_waits
redis.call('HDEL', key, 'state', 'superseded_by')
if s <= a and not (silent or seen) then redis.call('HSET', key, 'activity', text(a)) end
local lane = lane_of(prefix, ranks, a, s)
-- guard circle_lane: lane then => false then
-- guard circle_silent: silent_since(silent, seen, math.max(a, s)) => 0
if lane then redis.call('ZADD', lane, text(silent_since(silent, seen, math.max(a, s))), session) end
return 1
