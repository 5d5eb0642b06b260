#!lua
-- Remembers that a person was named in a session.
-- KEYS[1]  prefix of the person
-- ARGV[1]  session; ARGV[2] for how long (ms); ARGV[3] how many sessions at most, the latest stay; ARGV[4] when (ms)
-- Returns  1 when it is a new one, else 0
-- include: _barred
if is_barred(KEYS[1], ARGV[4]) then return 0 end
local key = KEYS[1] .. 'sessions'
local new = redis.call('ZADD', key, ARGV[4], ARGV[1])
redis.call('PEXPIRE', key, ARGV[2])
if new == 1 then redis.call('ZREMRANGEBYRANK', key, 0, -1 - ARGV[3]) end
return new
