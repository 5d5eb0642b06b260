-- Note that a partition stores a due time, by a clock that says `now` (ms). If the clock turns out to have been ahead,
-- reap.lua reports it.
-- include: text
local function note_time(prefix, now)
  local key = prefix .. 'clock'
  -- guard note_time_latest: now > tonumber(redis.call('HGET', key, 'due') or 0) => true
  if now > tonumber(redis.call('HGET', key, 'due') or 0) then redis.call('HSET', key, 'due', text(now)) end
end
