-- Return the lane of a session with only plain activity.
-- include: rank_name
local function idle_lane(prefix, ranks, activity) return prefix .. 'lane:' .. rank_name(ranks, activity) .. '.idle' end
