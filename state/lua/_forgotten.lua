-- A session that was forgotten leaves a tombstone: the moment, as a sequence number. What happened before is not brought
-- back, not even after something later has begun the session afresh. Asked for the first event of a session, and for
-- those that are not its latest: no other can be older than the tombstone.
local function is_forgotten(key, event, has)
  local last = max(tonumber(event[2]), tonumber(event[3] or 0), tonumber(event[4] or 0))
  local was_last = max(tonumber(has[1] or 0), tonumber(has[2] or 0), tonumber(has[3] or 0))
  if was_last > 0 and last >= was_last then return false end
  local moment = call('HGET', key, 'forgotten')
  if not moment then return false end
  -- An opt-out moves nothing; when it was is told by the stamp of what it says, a number to base 36.
  if last == 0 and event[7] then last = tonumber(string.sub(event[7], 1, 10), 36) end
  return last <= tonumber(moment)
end
