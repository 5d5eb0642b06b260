-- Return the name of an outcome in counters and the history.
local function outcome(state, reason) return reason == '' and state or state .. '.' .. reason end
