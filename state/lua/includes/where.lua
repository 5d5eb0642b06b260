-- Where in the shop, by the name of a lane: counters end with it, as in `sent@checkout.web`; '' when that is not known.
local function where(lane)
  local stage = lane and string.match(lane, '^[^.]+%.[^.]+')
  return stage and '@' .. stage or ''
end
