-- Note that a partition stores a moment to wait for, by a clock that says `now` (ms). If the clock turns out to have
-- been ahead, reap.lua reports it.
-- include: text
local function note_time(prefix, now)
  -- guard note_time_latest: now > tonumber(redis.call('GET', prefix .. 'clock') or 0) => true
  if now > tonumber(redis.call('GET', prefix .. 'clock') or 0) then redis.call('SET', prefix .. 'clock', text(now)) end
end
