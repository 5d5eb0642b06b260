-- Add to a counter of the day of an event (`at`, ms).
-- include: constants, text
local function count(prefix, at, field, by)
  local key = prefix .. 'stats:' .. text(math.floor(at / DAY))
  if redis.call('HINCRBY', key, field, by) == by then redis.call('PEXPIRE', key, STATS_TTL) end
end
