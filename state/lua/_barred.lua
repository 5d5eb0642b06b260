-- Whether a person was forgotten after something happened (ms): then it does not bring them back.
-- A moment in the future was written while the clock was ahead. It is put back to before what may be arriving now: an
-- order of now is later, and must count.
local function is_barred(prefix, at)
  local moment = redis.call('GET', prefix .. 'forgotten')
  if not moment then return false end
  if tonumber(moment) > clock() + 1000 then
    moment = text(clock() - 120000)
    redis.call('SET', prefix .. 'forgotten', moment, 'KEEPTTL')
  end
  return tonumber(at) <= tonumber(moment)
end
