#!lua
-- Records the settings that a process announced; removes processes that haven't announced any for a day.
-- KEYS[1]  hash of a role
-- ARGV[1]  the process; ARGV[2] how long one is remembered (ms); ARGV[3] its settings
-- Returns  nothing
-- include: clock, text
local role, process, remembered_ms, announced = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local now = clock()
redis.call('HSET', role, process, text(now) .. ' ' .. announced)
local known = redis.call('HGETALL', role)
for i = 1, #known, 2 do
  local at = tonumber(string.match(known[i + 1], '^%d+') or 0)
  -- guard announce_forgets: now - at > tonumber(remembered_ms) => false
  if now - at > tonumber(remembered_ms) then redis.call('HDEL', role, known[i]) end
end
-- guard announce_ttl
redis.call('PEXPIRE', role, remembered_ms)
