-- Notes how a payment of a person stands; returns 1 when that is new, else 0. `name` and `value`: see payment_until.
-- A payment from before they were forgotten does not bring them back.
-- include: constants, call, clock, is_erased, payment_end, text
local function mark_payment(prefix, relation, name, value)
  local key, field, ends, at = prefix .. 'payment', relation .. name, payment_end(name, value)
  -- guard payment_barred: is_erased(prefix, at) => false
  if is_erased(prefix, at) then return 0 end
  local known = call('HGET', key, field)
  -- guard payment_latest: known and known >= value => false
  if known and known >= value then return 0 end
  call('HSET', key, field, value)
  -- guard payment_ttl: call('PTTL', key), DAY, ends - clock() => 1
  call('PEXPIRE', key, text(math.max(call('PTTL', key), DAY, ends - clock())))
  return 1
end
