#!lua
-- Remembers that a person was named in a session.
-- KEYS[1]  prefix of the person
-- ARGV[1]  session; ARGV[2] for how long (ms); ARGV[3] how many sessions at most, the latest stay; ARGV[4] when (ms)
-- Returns  how many were dropped
-- include: _barred
if is_barred(KEYS[1], ARGV[4]) then return 0 end
local key, time = KEYS[1] .. 'sessions', redis.call('TIME')
redis.call('ZADD', key, string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)), ARGV[1])
redis.call('PEXPIRE', key, ARGV[2])
return redis.call('ZREMRANGEBYRANK', key, 0, -1 - ARGV[3])
