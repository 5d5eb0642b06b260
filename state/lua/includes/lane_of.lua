-- Return a session's lane: the stage and platform of its last activity, and the kind of a later signal, by sequence
-- numbers. Returns nil without an activity.
-- include: rank_name
local function lane_of(prefix, ranks, activity, signal)
  if activity == 0 then return nil end
  local kind = signal > activity and rank_name(ranks, signal) or 'idle'
  return prefix .. 'lane:' .. rank_name(ranks, activity) .. '.' .. kind
end
