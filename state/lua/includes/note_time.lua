-- Record the clock's `now` (ms) with a due time stored in a partition. If the clock was ahead, reap.lua reports it.
-- include: text
local function note_time(prefix, now)
  local key = prefix .. 'clock'
  -- guard note_time_latest: now > tonumber(redis.call('HGET', key, 'due') or 0) => true
  if now > tonumber(redis.call('HGET', key, 'due') or 0) then redis.call('HSET', key, 'due', text(now)) end
end
