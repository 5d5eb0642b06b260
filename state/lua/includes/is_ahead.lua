-- Return whether one of a session's times is impossibly late, because it was written while a clock was ahead. `has`: as
-- in advance_session.lua; `last`: its greatest number.
-- include: constants
local function is_ahead(has, last, now)
  local seen, silent = tonumber(has.seen or 0), tonumber(has.silent or 0)
  -- guard ahead_tolerance: (now + AHEAD) => now
  return last > (now + AHEAD) * 100 or seen > now + AHEAD or silent > now + FURTHEST
end
