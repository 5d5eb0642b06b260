-- Record the clock's `now` (ms) with times stored in the control keys. If the clock was ahead, clock_put_back.lua
-- reports it.
-- include: text
local function note_control_time(prefix, now)
  local key = prefix .. 'sending'
  -- guard clock_latest: now > tonumber(redis.call('HGET', key, 'clock') or 0) => true
  if now > tonumber(redis.call('HGET', key, 'clock') or 0) then redis.call('HSET', key, 'clock', text(now)) end
end
