-- Returns a visitor's session (nil: none is open), when an order last ended one (ms, as text), that one, and where in
-- the flow the visitor was last. An order that another source reported is noted here.
-- include: call, ended_at
local function visitor_state(prefix, key)
  local current, ordered, before, last = unpack(call('HMGET', key, 'session', 'ordered', 'before', 'place'))
  -- guard visitor_paid: current and ended_at(prefix, current) => nil
  local paid = current and ended_at(prefix, current)
  if not paid then return current or nil, ordered, before, last end
  -- guard visitor_paid_newest: not ordered or tonumber(paid) > tonumber(ordered) => true
  if not ordered or tonumber(paid) > tonumber(ordered) then
    ordered, before = paid, current
    call('HSET', key, 'ordered', paid, 'before', current)
  end
  call('HDEL', key, 'session', 'place')
  return nil, ordered, before, nil
end
