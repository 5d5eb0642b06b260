-- Until when a payment of a person is in progress (ms); 0 for none. `payment` is a hash of two fields, and with
-- `linked.` before it those of identities that were seen together with this one:
-- stated  the latest expiry that a shop stated, and when it did: 15 digits each
-- latest  when the last event of a payment without an expiry occurred, and when that payment ends at the latest (0: it
--         was declined, or its expiry has passed): 15 digits each
-- Of two values the higher text counts, so their order of arrival doesn't matter. A declined payment ends none with a
-- stated expiry: a voucher can still be paid.
-- include: constants, call, payment_end
local function payment_until(prefix, now)
  local latest, known = 0, call('HGETALL', prefix .. 'payment')
  for i = 1, #known, 2 do
    -- guard payment_linked: string.gsub(known[i], LINKED, '') => known[i]
    local name = string.gsub(known[i], LINKED, '')
    local ends = payment_end(name, known[i + 1])
    -- guard payment_over: ends > now and => true and
    -- guard payment_ahead: and ends <= now + FURTHEST => and true
    if ends > now and ends <= now + FURTHEST then latest = math.max(latest, ends) end
  end
  return latest
end
