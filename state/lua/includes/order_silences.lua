-- Count an order for the silences before it that were kept for this; see end_silence.lua. `at`: its time (ms).
-- include: count_range, place, text, tuning
local function order_silences(prefix, key, at)
  local how, kept = tuning(prefix), redis.call('HGET', key, 'kept')
  if not how or not kept then return end
  for rank, begin, low, high, held_at in string.gmatch(kept, '(%d+):(%d+):(%d+):(%d+):(%d+)') do
    begin, low, high, held_at = tonumber(begin), tonumber(low), tonumber(high), tonumber(held_at)
    for _, horizon in ipairs(how.horizons) do
      local known = held_at > 0 and place(how, held_at - begin - horizon + 1) or 0
      local from = math.max(low, known, place(how, at - begin - horizon))
      -- guard order_after: begin <= at => true
      if begin <= at then
        count_range(prefix, how, begin, rank, (held_at > 0 and 'p' or 'o') .. text(horizon), from, high, 1)
      end
    end
  end
  -- guard order_once
  redis.call('HDEL', key, 'kept')
end
