-- Return how silences are counted, as the sweep has recorded it in the partition (see state/silence_counters.py); false
-- if they aren't counted. It is read once in a call, and only if needed.
local tuning_read
local function tuning(prefix)
  if tuning_read == nil then
    local stored = redis.call('HGET', prefix .. 'clock', 'tuning')
    tuning_read = stored and cjson.decode(stored)
  end
  return tuning_read
end
