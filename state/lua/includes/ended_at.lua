-- Returns when the last order of a session ended it (ms, as text), whichever source reported it; nil: it goes on.
-- include: call
local function ended_at(prefix, session)
  local paid, again = string.match(call('GET', prefix .. 'paid:' .. session) or '', '^(%d+) ?(%d*)$')
  return again == '' and paid or nil
end
