-- The lane of a session that only looks around.
-- include: rank_name
local function idle_lane(prefix, ranks, activity) return prefix .. 'lane:' .. rank_name(ranks, activity) .. '.idle' end
