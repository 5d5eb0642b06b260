-- Keep a counted silence for an order to come; only the latest ones stay. `held_at`: when its shopper was held out (ms;
-- 0: not).
-- include: text
local MOST_KEPT = 8
local function keep_silence(key, rank, begin, low, high, held_at)
  if low >= high then return end
  local entry = table.concat({rank, text(begin), low, high, text(held_at)}, ':')
  local kept, number = string.gsub((redis.call('HGET', key, 'kept') or '') .. ' ' .. entry, ' ', ' ')
  -- guard kept_bound: number > MOST_KEPT => false
  redis.call('HSET', key, 'kept', number > MOST_KEPT and string.match(kept, ' %S+(.*)') or kept)
end
