-- Return how silences are counted, as the sweep has recorded it in the partition (see state/silence_counters.py); false
-- if they aren't counted. It is read once in a call, and only if needed.
local tuning_read
local function tuning(prefix)
  if tuning_read ~= nil then return tuning_read end
  local stored, horizons = redis.call('HGET', prefix .. 'clock', 'tuning') or '', {}
  local kinds, needs_cart, listed = string.match(stored, '^(%S+) (%d+) ([%d ]+)$')
  for ms in string.gmatch(listed or '', '%d+') do horizons[#horizons + 1] = tonumber(ms) end
  tuning_read = kinds and {kinds = kinds, needs_cart = needs_cart, horizons = horizons, listed = listed} or false
  return tuning_read
end
