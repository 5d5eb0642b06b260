-- Add to a counter of the day of an event (`at`, ms). Days are those of the shop's zone, by its offset at the moment
-- (ms), which the sweep records. For an `at` before a change of the clocks this is an hour off, and good enough.
-- include: constants, text
local function count(base, at, field, by)
  -- guard count_local_day: without + (redis.call('HGET', base .. 'clock', 'offset') or 0)
  local key = base .. 'stats:' .. text(math.floor((at + (redis.call('HGET', base .. 'clock', 'offset') or 0)) / DAY))
  if redis.call('HINCRBY', key, field, by) == by then redis.call('PEXPIRE', key, STATS_TTL) end
end
