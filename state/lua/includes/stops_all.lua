-- Whether for this reason nothing is sent at all, not even to try.
-- guard sending_mixed: without , mixed = true
-- guard sending_orders_stopped: without , orders_stopped = true
local STOPS_ALL = {paused = true, mixed = true, orders_stopped = true}
local function stops_all(reason) return STOPS_ALL[reason] end
