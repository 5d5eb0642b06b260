-- Count an order for the silences before it, of which the latest are kept for this. `at`: its time (ms).
-- include: count_range, count_silences, place, read_silences, text, tuning, written_silences
local function order_silences(prefix, key, at)
  local how, stored = tuning(prefix), redis.call('HGET', key, 'tune')
  if not how or not stored then return end
  local record = read_silences(stored)
  if record.uncounted ~= '' then
    count_silences(prefix, key, how, record)
    redis.call('HSET', key, 'tune', written_silences(record))
  end
  local kept = redis.call('HGET', key, 'kept') or ''
  for rank, begin, low, high, held_at in string.gmatch(kept, '(%d+):(%d+):(%d+):(%d+):(%d+)') do
    begin, low, high, held_at = tonumber(begin), tonumber(low), tonumber(high), tonumber(held_at)
    for _, horizon in ipairs(how.horizons) do
      local known = held_at > 0 and place(held_at - begin - horizon + 1) or 0
      local from = math.max(low, known, place(at - begin - horizon))
      -- guard order_after: begin <= at => true
      if begin <= at then
        count_range(prefix, how, begin, rank, (held_at > 0 and 'p' or 'o') .. text(horizon), from, high, 1)
      end
    end
  end
  -- guard order_once
  redis.call('HDEL', key, 'kept')
end
