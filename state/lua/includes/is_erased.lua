-- Whether a person was forgotten after something happened (ms): then it does not bring them back.
-- A moment in the future was written while the clock was ahead. It is put back to before what may be arriving now: an
-- order of now is later, and must count.
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
