#!lua flags=allow-oom
-- Says which alarms begin, get worse, have lasted long enough to be told again, and are over: once for all processes.
-- KEYS[1]  hash: what an alarm is about → since (ms), last told (ms), level
-- ARGV[1]  how often what lasts is told again (ms); ARGV[2] how long this is remembered (ms)
-- ARGV[3] when it was looked (ms): what was told after that is not over
-- ARGV[4…] what is wrong now: what it is about and its level, a number that is higher for worse, one after the other
-- Returns  flat: what it is about, begins | lasts | over, since (ms)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local known, wrong, told = {}, {}, {}
local stored = redis.call('HGETALL', KEYS[1])
for i = 1, #stored, 2 do
  local since, last, level = string.match(stored[i + 1], '^(%d+) (%d+) (%d+)$')
  -- What was told in the future was told before the clock was put back.
  if tonumber(last) > now then
    last, since = now, math.min(since, now)
    redis.call('HSET', KEYS[1], stored[i], string.format('%.0f %.0f %d', since, last, level))
    since = string.format('%.0f', since)
  end
  known[stored[i]] = { since = since, last = tonumber(last), level = tonumber(level) }
end
local function tell(about, went, since)
  for _, word in ipairs({ about, went, since }) do told[#told + 1] = word end
end
for i = 4, #ARGV, 2 do
  local about, level = ARGV[i], tonumber(ARGV[i + 1])
  local before = known[about]
  local since = before and before.since or string.format('%.0f', now)
  wrong[about] = true
  if not before or level > before.level or now - before.last >= tonumber(ARGV[1]) then
    tell(about, before and 'lasts' or 'begins', since)
    redis.call('HSET', KEYS[1], about, string.format('%s %.0f %d', since, now, level))
  end
end
for i = 1, #stored, 2 do
  if not wrong[stored[i]] and known[stored[i]].last <= tonumber(ARGV[3]) then
    tell(stored[i], 'over', known[stored[i]].since)
    redis.call('HDEL', KEYS[1], stored[i])
  end
end
if #told > 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return told
