-- Count the order that a contact is credited with on the day of the contact, or subtract it (`by` -1). For an unknown
-- contact, it counts once the contact turns out as sent. `order`, kept with the outreach: one digit for how well its
-- value is known (0 the best), 15 digits of its time (ms), its currency or `unpriced`, its value in minor units (1 if
-- unpriced).
-- include: count, where
local function count_order(prefix, state, lane, contacted_at, order, by)
  -- guard credit_control: state == 'suppressed' and 'control' => nil
  local group = state == 'sent' and 'recovered' or state == 'suppressed' and 'control'
  -- guard credit_group: return => group = 'recovered'
  if not group then return end
  local currency, units = string.match(order, ' (%S+) (%d+)$')
  count(prefix, contacted_at, group .. '.orders' .. where(lane), by)
  count(prefix, contacted_at, group .. '.' .. currency .. where(lane), by * units)
end
