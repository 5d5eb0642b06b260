-- Return whether a person was erased after something happened (ms): then it doesn't restore them.
-- An erasure time in the future was written while the clock was ahead. It is put back to before any event that can be
-- arriving now, because a new order is later and must count.
-- include: constants, clock, text
local function is_erased(prefix, at)
  local moment = redis.call('GET', prefix .. 'forgotten')
  if not moment then return false end
  -- guard barred_ahead: tonumber(moment) > clock() + CLOCKS_DIFFER => false
  if tonumber(moment) > clock() + CLOCKS_DIFFER then
    -- guard barred_ahead_margin: text(clock() - AHEAD) => text(clock())
    -- guard barred_ahead_kept: text(clock() - AHEAD) => '0'
    moment = text(clock() - AHEAD)
    redis.call('SET', prefix .. 'forgotten', moment, 'KEEPTTL')
  end
  return tonumber(at) <= tonumber(moment)
end
