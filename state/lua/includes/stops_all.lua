-- Return whether this reason stops all sending, including probes.
-- guard sending_mixed: without , mixed = true
-- guard sending_orders_stopped: without , orders_stopped = true
local STOPS_ALL = {paused = true, mixed = true, orders_stopped = true}
local function stops_all(reason) return STOPS_ALL[reason] end
