-- Record when a session was first and last at a stage (a rank), with events in any order: `first.<rank>` and, for a
-- stage that it has left, `last.<rank>` (ms). Its last activity gives its current stage. The last two digits of a
-- sequence number are its rank and the others its time, which is cheaper to read as text. `activity`: the event's;
-- `was`: the previous one, false for none. `write`: as in advance_session.lua.
-- include: call, put, sub
local function note_visit(key, activity, was, write)
  -- guard visit_first: local at, ms = sub(activity, -2) => was = was or '0000' local at, ms = sub(activity, -2)
  local at, ms = sub(activity, -2), sub(activity, 1, -3)
  if not was then
    put(write, 'first.' .. at, ms)
  elseif tonumber(activity) > tonumber(was) then
    local was_at = sub(was, -2)
    -- guard visit_elsewhere
    if at == was_at then return end
    -- guard visit_left
    put(write, 'last.' .. was_at, sub(was, 1, -3))
    -- guard visit_first_kept: call('HSETNX', => call('HSET',
    -- guard visit_returned: call('HDEL', key, 'last.' .. at) => text(0)
    if call('HSETNX', key, 'first.' .. at, ms) == 0 then call('HDEL', key, 'last.' .. at) end
  else
    local first, last = unpack(call('HMGET', key, 'first.' .. at, 'last.' .. at))
    -- guard visit_late_earlier: without or tonumber(ms) < tonumber(first)
    -- guard visit_late_unknown: without not first or
    if not first or tonumber(ms) < tonumber(first) then put(write, 'first.' .. at, ms) end
    -- guard visit_late_current: without at ~= sub(was, -2) and
    -- guard visit_late_later: not last or tonumber(ms) > tonumber(last) => true
    if at ~= sub(was, -2) and (not last or tonumber(ms) > tonumber(last)) then put(write, 'last.' .. at, ms) end
  end
end
