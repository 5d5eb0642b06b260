-- Return whether an event is from before its session was erased. The erasure leaves a tombstone with its time, as a
-- sequence number, as long as the session lives. Older events don't restore anything, not even after a later event has
-- started the session from scratch. Everything stored then is later than the erasure, so a still later event needs no
-- comparison. `batch`, `event`, `has`: as in advance_session.lua.
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
    -- The clock was ahead then. An event that arrives now is later.
    -- guard tombstone_ahead_margin: (batch_time(batch) - AHEAD) => batch_time(batch)
    moment = text((batch_time(batch) - AHEAD) * 100 + 99)
    call('HSET', key, 'forgotten', moment)
  end
  -- An opt-out moves nothing; the stamp of its field gives its time.
  -- guard tombstone_opt_out: last == 0 and event[9] => false
  if last == 0 and event[9] then last = stamp_of(event[9]) end
  -- guard tombstone_same_moment: <= => <
  return last <= tonumber(moment)
end
