-- Remembers that an outreach is about to reach a person, so that their orders lead to it; forgets those of long ago.
-- A part of reserve.lua.

-- `worth`: what its cart is worth ('': not known); `for_ms`: how long it is remembered; `taken`: when it was taken (ms).
local function remember(prefix, outreach, now, worth, for_ms, taken)
  if is_barred(prefix, taken) then return end
  local key = prefix .. 'contacts'
  local held = redis.call('HGETALL', key)
  for i = 1, #held, 2 do
    if now - string.match(held[i + 1], '^%d+') > tonumber(for_ms) then redis.call('HDEL', key, held[i]) end
  end
  redis.call('HSET', key, outreach, text(now) .. ' ' .. worth)
  redis.call('PEXPIRE', key, for_ms)
end
