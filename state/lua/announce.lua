#!lua
-- Records what a process announced of its settings; removes processes that haven't for a day.
-- KEYS[1]  hash of a role
-- ARGV[1]  the process; ARGV[2] how long one is remembered (ms); ARGV[3] what it announced
-- Returns  nothing
-- include: _clock
local now = clock()
redis.call('HSET', KEYS[1], ARGV[1], text(now) .. ' ' .. ARGV[3])
local known = redis.call('HGETALL', KEYS[1])
for i = 1, #known, 2 do
  local at = tonumber(string.match(known[i + 1], '^%d+') or 0)
  if now - at > tonumber(ARGV[2]) then redis.call('HDEL', KEYS[1], known[i]) end
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
