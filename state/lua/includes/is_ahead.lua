-- Whether one of a session's times is later than it can be: it was written while a clock was ahead. `has`: as in
-- advance_session.lua; `last`: its greatest number.
-- include: constants
local function is_ahead(has, last, now)
  -- guard ahead_tolerance: (now + AHEAD) => now
  return last > (now + AHEAD) * 100 or tonumber(has[6] or 0) > now + AHEAD or tonumber(has[4] or 0) > now + FURTHEST
end
