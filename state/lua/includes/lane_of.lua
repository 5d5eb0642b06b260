-- Where a session waits: the lane of its last activity's stage and platform and of the kind of what followed, by the
-- sequence numbers; nil without an activity.
-- include: rank_name
local function lane_of(prefix, ranks, activity, signal)
  if activity == 0 then return nil end
  local kind = signal > activity and rank_name(ranks, signal) or 'idle'
  return prefix .. 'lane:' .. rank_name(ranks, activity) .. '.' .. kind
end
