-- Since when it is silent (ms), by the fields `silent` and `seen` as stored; without either, since its last event
-- occurred.
local function silent_since(silent, seen, last) return tonumber(silent or seen or math.floor(last / 100)) end
