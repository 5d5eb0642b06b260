-- Remembers that an outreach is about to reach a person, so that their orders lead to it; forgets those of long ago.
-- A part of reserve.lua.

local MOST_CONTACTS = 100

-- `worth`: what its cart is worth ('': not known); `for_ms`: how long it is remembered; `taken`: when it was taken (ms).
local function remember(prefix, outreach, now, worth, for_ms, taken)
  if is_barred(prefix, taken) then return end
  local key = prefix .. 'contacts'
  local held, oldest, number = redis.call('HGETALL', key), nil, 0
  for i = 1, #held, 2 do
    local at = tonumber(string.match(held[i + 1], '^%d+'))
    if now - at > tonumber(for_ms) then redis.call('HDEL', key, held[i])
    elseif held[i] ~= outreach then
      number = number + 1
      if not oldest or at < oldest.at then oldest = {at = at, id = held[i]} end
    end
  end
  -- Of a number that every shopper gives: each call adds one, so one is removed.
  if number >= MOST_CONTACTS then redis.call('HDEL', key, oldest.id) end
  redis.call('HSET', key, outreach, text(now) .. ' ' .. worth)
  redis.call('PEXPIRE', key, for_ms)
end
