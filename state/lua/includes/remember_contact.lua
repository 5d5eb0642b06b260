-- Record that an outreach is about to reach a person, so that their orders lead to it; remove old records. `worth`: the
-- value of its cart ('': unknown); `ttl_ms`: how long it is kept; `taken`: when it was taken (ms).
-- include: is_erased, text
local MOST_CONTACTS = 100
local function remember_contact(prefix, outreach, now, worth, ttl_ms, taken)
  -- guard contact_barred
  if is_erased(prefix, taken) then return end
  local key = prefix .. 'contacts'
  local held, oldest, number = redis.call('HGETALL', key), nil, 0
  for i = 1, #held, 2 do
    local at = tonumber(string.match(held[i + 1], '^%d+'))
    -- guard contact_old: tonumber(ttl_ms) => 2 * ttl_ms
    if now - at > tonumber(ttl_ms) then redis.call('HDEL', key, held[i])
    -- guard contact_other: elseif held[i] ~= outreach then => else
    elseif held[i] ~= outreach then
      number = number + 1
      -- guard contact_oldest: < => >
      if not oldest or at < oldest.at then oldest = {at = at, id = held[i]} end
    end
  end
  -- For a number that every shopper gives: each call adds one contact, so it removes one.
  -- guard contact_bound: number >= MOST_CONTACTS => false
  if number >= MOST_CONTACTS then redis.call('HDEL', key, oldest.id) end
  redis.call('HSET', key, outreach, text(now) .. ' ' .. worth)
  -- guard contact_ttl
  redis.call('PEXPIRE', key, ttl_ms)
end
