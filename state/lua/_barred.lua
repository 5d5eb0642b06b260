-- Whether a person was forgotten after something happened (ms): then it does not bring them back.
local function is_barred(prefix, at)
  local moment = redis.call('GET', prefix .. 'forgotten')
  return moment and tonumber(at) <= tonumber(moment)
end
