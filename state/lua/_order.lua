-- The order that a contact is credited with, kept as `order` with the outreach: one digit for how well its value is known
-- (0 the best), 15 digits of when it was made (ms), its currency or `unpriced`, its value in minor units (1 when unpriced).

-- Counts it on the day of the contact, or takes it back (`by` -1); of an unknown contact not before it turns out as sent.
local function count_order(prefix, state, lane, contacted_at, order, by)
  local group = state == 'sent' and 'recovered' or state == 'suppressed' and 'control'
  if not group then return end
  local currency, units = string.match(order, ' (%S+) (%d+)$')
  count(prefix, contacted_at, group .. '.orders' .. where(lane), by)
  count(prefix, contacted_at, group .. '.' .. currency .. where(lane), by * units)
end
