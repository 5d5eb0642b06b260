#!lua
-- Records a heartbeat; removes processes without one for a day.
-- KEYS[1]  hash of a role
-- ARGV[1]  the process; ARGV[2] how long one is remembered (ms)
-- Returns  nothing
-- include: clock, text
local role, process, remembered_ms = KEYS[1], ARGV[1], ARGV[2]
local now = clock()
redis.call('HSET', role, process, text(now))
local beats = redis.call('HGETALL', role)
for i = 1, #beats, 2 do
  -- guard heartbeat_forgets: now - beats[i + 1] > tonumber(remembered_ms) => false
  -- guard heartbeat_keeps: now - beats[i + 1] > tonumber(remembered_ms) => true
  if now - beats[i + 1] > tonumber(remembered_ms) then redis.call('HDEL', role, beats[i]) end
end
redis.call('PEXPIRE', role, remembered_ms)
