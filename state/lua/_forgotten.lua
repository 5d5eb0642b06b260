-- A session that was forgotten leaves a tombstone: the moment, as a sequence number, for as long as it lives. What
-- happened before is not brought back, not even after something later has begun the session afresh: all that is stored
-- then is later than the moment, so an event later than any of that need not be compared with it.
-- include: _stamp
local function is_forgotten(key, event, has)
  local known = has[5] ~= 'forgotten' and number_of(has[1] or has[2] or has[3])
  if known and tonumber(event[2]) >= known then return false end
  local last = max(tonumber(event[2]), tonumber(event[3] or 0), tonumber(event[4] or 0))
  if known and last >= known then return false end
  local moment = call('HGET', key, 'forgotten')
  if not moment then return false end
  if tonumber(moment) > (now() + AHEAD) * 100 then
    -- The clock was ahead then. What may be arriving now is later.
    moment = text((now() - AHEAD) * 100 + 99)
    call('HSET', key, 'forgotten', moment)
  end
  -- An opt-out moves nothing; when it was is told by the stamp of what it says.
  if last == 0 and event[9] then last = stamp_of(event[9]) end
  return last <= tonumber(moment)
end
