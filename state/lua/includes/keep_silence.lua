-- Keep a counted silence for an order to come; only the latest ones stay. `held_at`: when its shopper was held out (ms;
-- 0: not).
-- include: text
local MOST_KEPT = 8
local function keep_silence(key, rank, begin, low, high, held_at)
  if low >= high then return end
  local entries = {}
  for entry in string.gmatch(redis.call('HGET', key, 'kept') or '', '%S+') do entries[#entries + 1] = entry end
  entries[#entries + 1] = table.concat({rank, text(begin), low, high, text(held_at)}, ':')
  -- guard kept_bound: math.max(1, #entries - MOST_KEPT + 1) => 1
  redis.call('HSET', key, 'kept', table.concat(entries, ' ', math.max(1, #entries - MOST_KEPT + 1)))
end
