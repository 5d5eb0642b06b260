-- Contacts of a person that were made, or may be under way: `reserved`, outreach -> `claim:when` (ms). One from the future,
-- written while a clock was ahead, is put back to now: until then it would bar every other contact.
local function held_by(prefix, now)
  local key = prefix .. 'reserved'
  local held = redis.call('HGETALL', key)
  for i = 2, #held, 2 do
    local claim, at = string.match(held[i], '^(%d+):(%d+)$')
    if tonumber(at) > now + 1000 then
      held[i] = claim .. ':' .. text(now)
      redis.call('HSET', key, held[i - 1], held[i])
    end
  end
  return held
end
