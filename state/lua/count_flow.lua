#!lua
-- Counts events that have arrived and sessions that fell silent, so that a change of the shop's event flow is noticed.
-- KEYS[1]  prefix of the control keys
-- ARGV[1]  when the last event arrived (ms; 0: none did); ARGV[2] counters as JSON: [[minute since 1970, [name, number,
--          ...]], ...]; ARGV[3] unknown field names as JSON: [name, number, ...]
-- Returns  nothing
-- include: constants, clock, text
local arrived, counters, names = tonumber(ARGV[1]), cjson.decode(ARGV[2]), cjson.decode(ARGV[3])
local prefix, now, MINUTE, MOST_NAMES = KEYS[1] .. 'flow', clock(), 60000, 100
if arrived > 0 then
  local known = tonumber(redis.call('HGET', prefix, 'last') or 0)
  -- guard flow_last_ahead: known > now + CLOCKS_DIFFER => false
  if known > now + CLOCKS_DIFFER then known = 0 end
  -- guard flow_last_latest: math.max(known, math.min(arrived, now)) => math.min(arrived, now)
  redis.call('HSET', prefix, 'last', text(math.max(known, math.min(arrived, now))))
  redis.call('PEXPIRE', prefix, 30 * DAY)
end
for _, row in ipairs(counters) do
  -- guard flow_minute_ahead: math.min(row[1], math.floor(now / MINUTE)) => row[1]
  local minute, found = math.min(row[1], math.floor(now / MINUTE)), row[2]
  local key, day = prefix .. ':' .. text(minute), prefix .. ':day:' .. text(math.floor(minute * MINUTE / DAY))
  for i = 1, #found, 2 do
    redis.call('HINCRBY', key, found[i], text(found[i + 1]))
    if found[i] == 'silent' or found[i] == 'unreachable' then
      redis.call('HINCRBY', day, found[i], text(found[i + 1]))
      redis.call('PEXPIRE', day, 9 * DAY)
    end
  end
  redis.call('PEXPIRE', key, 2 * HOUR)
end
local hour = prefix .. ':names:' .. text(math.floor(now / HOUR))
for i = 1, #names, 2 do
  -- guard flow_names_bounded: redis.call('HLEN', hour) < MOST_NAMES => true
  local fits = redis.call('HLEN', hour) < MOST_NAMES or redis.call('HEXISTS', hour, names[i]) == 1
  redis.call('HINCRBY', hour, fits and names[i] or '', text(names[i + 1]))
  redis.call('PEXPIRE', hour, 3 * HOUR)
end
