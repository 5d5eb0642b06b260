-- The name of an outcome, as counters and the history have it.
local function outcome(state, reason) return reason == '' and state or state .. '.' .. reason end
