-- Return the contacts of a person that were made or might be in flight: `reserved`, outreach -> `token:time` (ms),
-- flat. A time in the future, written while a clock was ahead, is put back to now, because it would block every other
-- contact until then.
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
