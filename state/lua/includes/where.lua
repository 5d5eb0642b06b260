-- Return the place in the shop from a lane's name. Counters end with it, as in `sent@checkout.web`; '' if unknown.
local function where(lane)
  local stage = lane and string.match(lane, '^[^.]+%.[^.]+')
  return stage and '@' .. stage or ''
end
