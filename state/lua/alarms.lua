#!lua flags=allow-oom
-- Returns the alarms to log, once for all processes: those that begin, get worse, last or are over.
-- KEYS[1]  hash: subject of an alarm → since (ms), last logged (ms), level
-- ARGV[1]  how often a lasting alarm is logged again (ms); ARGV[2] how long this is remembered (ms)
--          ARGV[3] time of the check (ms): an alarm logged after it is not over
--          ARGV[4…] current problems: subject and level (higher is worse), alternating
-- Returns  flat: subject, begins | lasts | over, since (ms)
-- include: clock, text
local known_alarms, repeat_ms, remembered_ms, checked_at = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local now = clock()
local known, failing, events = {}, {}, {}
local stored = redis.call('HGETALL', known_alarms)
for i = 1, #stored, 2 do
  local since, last, level = string.match(stored[i + 1], '^(%d+) (%d+) (%d+)$')
  -- A log time in the future is from before the clock was put back.
  -- guard alarm_ahead: tonumber(last) > now => false
  if tonumber(last) > now then
    last, since = now, math.min(since, now)
    redis.call('HSET', known_alarms, stored[i], string.format('%.0f %.0f %d', since, last, level))
    since = text(since)
  end
  known[stored[i]] = { since = since, last = tonumber(last), level = tonumber(level) }
end
local function add_event(name, event, since)
  for _, word in ipairs({ name, event, since }) do events[#events + 1] = word end
end
for i = 4, #ARGV, 2 do
  local name, level = ARGV[i], tonumber(ARGV[i + 1])
  local before = known[name]
  local since = before and before.since or text(now)
  failing[name] = true
  if not before or level > before.level or now - before.last >= tonumber(repeat_ms) then
    add_event(name, before and 'lasts' or 'begins', since)
    redis.call('HSET', known_alarms, name, string.format('%s %.0f %d', since, now, level))
  end
end
for i = 1, #stored, 2 do
  -- guard alarm_over: without and known[stored[i]].last <= tonumber(checked_at)
  if not failing[stored[i]] and known[stored[i]].last <= tonumber(checked_at) then
    add_event(stored[i], 'over', known[stored[i]].since)
    redis.call('HDEL', known_alarms, stored[i])
  end
end
if #events > 0 then redis.call('PEXPIRE', known_alarms, remembered_ms) end
return events
