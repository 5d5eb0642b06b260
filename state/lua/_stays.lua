-- When a session was first and last at each place of the flow (a rank), whatever order its events come in: `first.<rank>`
-- and, of a place that it has left, `last.<rank>` (ms). Where it is, its last activity says.
local sub = string.sub

-- The last two digits of a sequence number are its rank, those before are its time: cheaper so than as numbers.
-- `activity`: the event's; `was`: the last one before, false for none. `write`: as in `move`.
local function note_stay(key, activity, was, write)
  local at, ms = sub(activity, -2), sub(activity, 1, -3)
  if not was then
    put(write, 'first.' .. at, ms)
  elseif tonumber(activity) > tonumber(was) then
    local was_at = sub(was, -2)
    if at == was_at then return end
    put(write, 'last.' .. was_at, sub(was, 1, -3))
    if call('HSETNX', key, 'first.' .. at, ms) == 0 then call('HDEL', key, 'last.' .. at) end
  else
    local has = call('HMGET', key, 'first.' .. at, 'last.' .. at)
    if not has[1] or tonumber(ms) < tonumber(has[1]) then put(write, 'first.' .. at, ms) end
    if at ~= sub(was, -2) and (not has[2] or tonumber(ms) > tonumber(has[2])) then put(write, 'last.' .. at, ms) end
  end
end
