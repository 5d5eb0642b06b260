-- Return the hour of a moment (`at`, ms) in the shop's zone: 00 to 23. As in `count`, the offset of now applies.
-- include: constants
local function hour_of_day(base, at)
  -- guard hour_local: without + (redis.call('HGET', base .. 'clock', 'offset') or 0)
  local local_time = at + (redis.call('HGET', base .. 'clock', 'offset') or 0)
  return string.format('%02d', math.floor(local_time % DAY / HOUR))
end
