-- Merge an event's sequence numbers into its session; the newest event also sets the session's lane.
-- `batch`, `event`: see apply.lua. `has`: see read_session.lua. `write`: an unfinished HSET, carried out here.
-- Returns the session's purchase.
-- include: constants, batch_time, call, cancel_outreach, clock, end_silence, floor, is_ahead, lane_of, marked, max
-- include: note_silence, note_visit, number_of, order_silences, put, put_back_session, rank_name, silent_since
-- include: store_silence, text
local function advance_session(batch, key, event, has, write)
  local prefix, ranks = batch.prefix, batch.ranks
  local id, activity_text, signal, purchase, silent_text, _, seen_text = unpack(event, 1, 7)
  local a, s, p = tonumber(activity_text), tonumber(signal or 0), tonumber(purchase or 0)
  local was_ahead = is_ahead(has, max(number_of(has.activity), has.signal or 0, has.purchase or 0), batch_time(batch))
  -- guard move_ahead: was_ahead => false
  if was_ahead then has = put_back_session(key, has, batch_time(batch)) end
  local was_a, was_s, was_p = number_of(has.activity), tonumber(has.signal or 0), tonumber(has.purchase or 0)
  local last, was_last, paid = max(a, s, p), max(was_a, was_s, was_p), p > was_p and 'paid'
  local silent, was_silent = silent_since(silent_text, nil, last), silent_since(has.silent, has.seen, was_last)
  -- guard move_expiry_unseen: without tonumber(seen_text or '') or
  -- guard move_newer: > => >=
  local seen, is_newer, was_state = tonumber(seen_text or '') or silent, last > was_last, has.state
  local state, is_claimed = was_state, was_state == 'abandoned'
  -- An event with a wrong clock also shows that the shopper is active; a redelivered event doesn't.
  -- guard misdated: without or seen > was_silent
  -- guard move_repeated: > => >=
  -- guard move_repeated_misdated: was_silent => floor(was_last / 100)
  -- guard move_old_misdated: was_silent => 0
  local is_back = is_newer or seen > was_silent
  -- guard move_visit: a > 0 and a ~= was_a => false
  -- guard move_visit_placed: a > 0 and a => activity_text and a
  if a > 0 and a ~= was_a then note_visit(key, activity_text, was_a > 0 and text(was_a), write) end
  -- guard move_older_activity
  if a < was_a then a = was_a end
  -- guard move_begun: was_a == 0 and a > 0 => false
  -- guard move_begun_once: was_a == 0 and a > 0 => a > was_a
  -- guard move_begun_placed: without and a > 0
  if was_a == 0 and a > 0 then batch.started[a % 100] = (batch.started[a % 100] or 0) + 1 end
  -- guard move_later_signal: s > was_s => true
  if s > was_s then put(write, 'signal', signal) else s = was_s end
  -- guard move_later_purchase: p > was_p => true
  if p > was_p then put(write, 'purchase', purchase) else p = was_p end
  -- guard move_older_voucher: last == was_last and silent or 0 => silent
  if not is_newer then silent = max(last == was_last and silent or 0, tonumber(has.silent or 0)) end
  -- guard move_seen_stays: max(seen, tonumber(has.seen or 0)) => seen
  silent = store_silence(key, write, silent, max(seen, tonumber(has.seen or 0)), max(a, s, p), has)
  -- A session is bought if it paid after its last activity: a page closed later, or a voucher, doesn't undo that.
  local superseded = was_state and tonumber(call('HGET', key, 'superseded') or 0) or 0
  -- guard move_activity_after_order: p > a then => p > 0 then
  -- guard move_signal_after_order: p > a => last == p
  if p > a then state = 'bought'
  -- guard move_superseded
  -- guard move_superseded_until: without and max(a, s) <= superseded
  elseif superseded > 0 and max(a, s) <= superseded then state = 'superseded'
  -- guard move_order_undone: without or was_state == 'bought'
  -- guard move_return_waits: without is_back or
  elseif is_back or was_state == 'bought' then state = false end
  -- guard stale_order: (paid or is_back) => is_back
  -- guard move_paid_calls_off: (paid or is_back) => is_newer
  -- guard calls_off: was_state == 'abandoned' and (paid or is_back) => false
  if was_state == 'abandoned' and (paid or is_back) then cancel_outreach(prefix, key, paid or 'came_back') end
  -- Before this event's fields are written, and after it has cancelled the outreach, which can end as a contact.
  -- guard move_silence: is_back and was_a > 0 => false
  -- guard move_short_silence: is_claimed or => false or
  if is_back and was_a > 0 and (is_claimed or not was_state and seen - was_silent > SHORTEST_SILENCE) then
    local kind = was_s > was_a and rank_name(ranks, was_s) or 'idle'
    if is_claimed then end_silence(prefix, key, was_silent, was_a % 100, seen, kind)
    else
      local tune = note_silence(prefix, key, was_silent, was_a % 100, seen - was_silent, kind)
      if tune then call('HSET', key, 'tune', tune) end
    end
  end
  -- guard move_orders: paid => false
  if paid then order_silences(prefix, key, floor(p / 100)) end
  if state ~= was_state then
    if state then put(write, 'state', state) else call('HDEL', key, 'state') end
  end
  -- guard move_signal_marks: without s <= a and
  -- guard move_silence_marks: without and silent == floor(max(a, s, p) / 100)
  -- guard move_state_marks: without not state and
  local is_plain = not state and s <= a and silent == floor(max(a, s, p) / 100)
  local activity = a > 0 and (is_plain and text(a) or marked(text(a)))
  if activity and activity ~= has.activity then put(write, 'activity', activity) end
  if #write > 2 then call(unpack(write)) end
  local was_lane = not was_state and lane_of(prefix, ranks, was_a, was_s)
  local lane = not state and lane_of(prefix, ranks, a, s)
  -- guard move_leaves_lane: without call('ZREM', was_lane, id)
  if was_lane and was_lane ~= lane then call('ZREM', was_lane, id) end
  -- The scores of a lane are lower bounds: a session that stays in it moves up only when a sweep finds it at the head.
  -- guard move_lane_lower: without or silent < was_silent
  -- guard move_lane_ahead: without or was_ahead
  if lane and (lane ~= was_lane or silent < was_silent or was_ahead) then call('ZADD', lane, text(silent), id) end
  -- Keep the key for a session's time to live after its last activity; set this at most once an hour.
  -- guard move_ttl: without was_last == 0 or
  if was_last == 0 or is_back and (was_state or floor(silent / HOUR) ~= floor(was_silent / HOUR)) then
    call('PEXPIREAT', key, text((silent > 0 and silent or clock()) + SESSION_TTL + HOUR))
  end
  return p
end
