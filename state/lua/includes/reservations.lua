-- Contacts of a person that were made, or may be under way: `reserved`, outreach -> `token:when` (ms), flat. One from
-- the future, written while a clock was ahead, is put back to now: until then it would bar every other contact.
-- include: constants, text
local function reservations(prefix, now)
  local key = prefix .. 'reserved'
  local held = redis.call('HGETALL', key)
  for i = 2, #held, 2 do
    local current_token, at = string.match(held[i], '^(%d+):(%d+)$')
    -- guard held_ahead: tonumber(at) > now + CLOCKS_DIFFER => false
    if tonumber(at) > now + CLOCKS_DIFFER then
      held[i] = current_token .. ':' .. text(now)
      redis.call('HSET', key, held[i - 1], held[i])
    end
  end
  return held
end
