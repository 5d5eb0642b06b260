#!lua
-- A collector reports up to when all events that it accepted are in a stream. Collectors that haven't for long are
-- forgotten.
-- KEYS[1]  hash of collectors
-- ARGV[1]  the collector; ARGV[2] up to when (ms); '0': it only asks for the time; ARGV[3] its other figures
--          ARGV[4] how long one is remembered (ms)
-- Returns  server time (ms)
-- include: clock, text
local key, collector, until_ms, figures, remembered_ms = KEYS[1], ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local now = clock()
if until_ms > 0 then
  -- A collector estimates the time. Its estimate can be ahead.
  -- guard collector_ahead: math.min(until_ms, now) => until_ms
  redis.call('HSET', key, collector, text(math.min(until_ms, now)) .. ' ' .. text(now) .. ' ' .. figures)
end
local known = redis.call('HGETALL', key)
for i = 1, #known, 2 do
  local seen = tonumber(string.match(known[i + 1], '^%d+ (%d+)') or 0)
  -- guard collector_forgets: now - seen > tonumber(remembered_ms) => false
  if now - seen > tonumber(remembered_ms) then redis.call('HDEL', key, known[i]) end
end
-- guard collector_ttl
redis.call('PEXPIRE', key, remembered_ms)
return text(now)
