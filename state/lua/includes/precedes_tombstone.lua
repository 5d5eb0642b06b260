-- Whether an event is from before its session was forgotten. That leaves a tombstone: the moment, as a sequence number,
-- for as long as it lives. What happened before is not brought back, not even after something later has begun the
-- session from scratch: all that is stored then is later than the moment, so an event later than any of that need not
-- be compared with it. `batch`, `event`, `has`: as in advance_session.lua.
-- include: constants, batch_time, call, max, number_of, stamp_of, text
local function precedes_tombstone(batch, key, event, has)
  local activity, signal, purchase = tonumber(event[2]), tonumber(event[3] or 0), tonumber(event[4] or 0)
  -- guard tombstone_fresh: without has.state ~= 'forgotten' and
  -- guard tombstone_purchase_known: without or has.purchase
  -- guard tombstone_signal_known: without or has.signal
  local known = has.state ~= 'forgotten' and number_of(has.activity or has.signal or has.purchase)
  if known and activity >= known then return false end
  local last = max(activity, signal, purchase)
  if known and last >= known then return false end
  -- guard tombstone_after_rebirth: = call( => = not known and call(
  local moment = call('HGET', key, 'forgotten')
  if not moment then return false end
  -- guard tombstone_ahead: tonumber(moment) > (batch_time(batch) + AHEAD) * 100 => false
  if tonumber(moment) > (batch_time(batch) + AHEAD) * 100 then
    -- The clock was ahead then. What may be arriving now is later.
    -- guard tombstone_ahead_margin: (batch_time(batch) - AHEAD) => batch_time(batch)
    moment = text((batch_time(batch) - AHEAD) * 100 + 99)
    call('HSET', key, 'forgotten', moment)
  end
  -- An opt-out moves nothing; when it was is told by the stamp of what it says.
  -- guard tombstone_opt_out: last == 0 and event[9] => false
  if last == 0 and event[9] then last = stamp_of(event[9]) end
  -- guard tombstone_same_moment: <= => <
  return last <= tonumber(moment)
end
