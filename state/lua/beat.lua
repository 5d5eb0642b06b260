#!lua
-- A process says that it is alive; those that have not for a day are forgotten.
-- KEYS[1]  hash of a role
-- ARGV[1]  the process; ARGV[2] how long one is remembered (ms)
-- Returns  nothing
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', now))
local beats = redis.call('HGETALL', KEYS[1])
for i = 1, #beats, 2 do
  if now - beats[i + 1] > tonumber(ARGV[2]) then redis.call('HDEL', KEYS[1], beats[i]) end
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
