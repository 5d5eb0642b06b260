-- Add to a counter of the day of an event (`at`, ms). Days are those of the shop's zone, by its offset at the moment
-- (ms), which the sweep records. For an `at` before a change of the clocks this is an hour off, and good enough.
-- include: constants, text
local function count(prefix, at, field, by)
  -- guard count_local_day: without + (redis.call('HGET', prefix .. 'clock', 'offset') or 0)
  local local_at = at + (redis.call('HGET', prefix .. 'clock', 'offset') or 0)
  local key = prefix .. 'stats:' .. text(math.floor(local_at / DAY))
  if redis.call('HINCRBY', key, field, by) == by then redis.call('PEXPIRE', key, STATS_TTL) end
end
