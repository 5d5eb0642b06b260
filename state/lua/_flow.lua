-- The keys of what is known of the orders. `orders`: `last` order (ms); `level` of the run without one, `since` when,
-- `at` which last order, with `run` and `rate`; `held` while nothing is sent for it; `released` until when it is all the
-- same. `checkouts`: sessions by when they reached the checkout, those that ordered by that, negative.
local function flow_of(prefix) return prefix .. 'orders' end
local function checkouts_of(prefix) return prefix .. 'checkouts' end
local function gaps_of(prefix) return prefix .. 'gaps' end
local function day_of(prefix, at) return prefix .. 'orders:' .. string.format('%.0f', math.floor(at / 86400000)) end
