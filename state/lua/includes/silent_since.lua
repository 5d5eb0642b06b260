-- Return since when a session is silent (ms), from the stored fields `silent` and `seen`; without them, since its last
-- event.
local function silent_since(silent, seen, last) return tonumber(silent or seen or math.floor(last / 100)) end
