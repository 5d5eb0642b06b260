-- Cancel the open outreach, because the shopper came back after the claim. One that is `sending` can be in flight.
-- include: call, clock, finish
local function cancel_outreach(prefix, key, why)
  local open = call('HGET', key, 'outreach')
  local state = open and call('HGET', prefix .. 'outreach:' .. open, 'state')
  -- guard spares_sending: state == 'waiting' or state == 'leased' => state
  -- guard calls_off_leased: without or state == 'leased'
  -- guard calls_off_waiting: without state == 'waiting' or
  if state == 'waiting' or state == 'leased' then finish(prefix, open, 'cancelled', why, clock()) end
  -- guard calls_off_once
  call('HDEL', key, 'outreach')
end
