-- When a session was first and last at each place of the flow (a rank), whatever order its events come in: `first.<rank>`,
-- and of a place that it has left, `last.<rank>` (ms). Where it is, its last activity says.

local function ms_of(sequence) return text(floor(sequence / 100)) end

-- `a`: the event's activity; `was_a`: the last one before, 0 for none. `write`: as in `move`.
local function note_stay(key, a, was_a, write)
  local at, was_at = text(a % 100), text(was_a % 100)
  if was_a == 0 then
    put(write, 'first.' .. at, ms_of(a))
  elseif a > was_a then
    if at == was_at then return end
    put(write, 'last.' .. was_at, ms_of(was_a))
    if call('HSETNX', key, 'first.' .. at, ms_of(a)) == 0 then call('HDEL', key, 'last.' .. at) end
  else
    local has = call('HMGET', key, 'first.' .. at, 'last.' .. at)
    local first, last, ms = tonumber(has[1] or nil), tonumber(has[2] or nil), floor(a / 100)
    if not first or ms < first then put(write, 'first.' .. at, text(ms)) end
    if at ~= was_at and (not last or ms > last) then put(write, 'last.' .. at, text(ms)) end
  end
end
