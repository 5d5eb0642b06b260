-- End an outreach: the only function that does. Returns its final state.
-- After an ambiguous attempt, it can't be ruled out that something was sent: the outreach ends as sent or unknown.
-- include: constants, add_history, count, count_order, note_contacted, outcome, publish, text, where
local function finish(prefix, id, state, reason, at)
  local key = prefix .. 'outreach:' .. id
  local session, ambiguous, lane, contacted_at, order, body, first_sending, last = unpack(redis.call('HMGET', key,
    'session', 'ambiguous', 'lane', 'contacted_at', 'order', 'body', 'first_sending', 'last'))
  -- guard ambiguous: ambiguous => false
  -- guard ambiguous_sent: without state ~= 'sent' and
  if ambiguous and state ~= 'sent' and state ~= 'unknown' then state, reason = 'unknown', state end
  redis.call('HSET', key, 'state', state, 'reason', reason, 'ended_at', text(at))
  -- Measured are contacts, the holdout for comparison, and outreaches that can still turn out to be contacts.
  -- guard measured_holdout: without or outcome(state, reason) == 'suppressed.holdout'
  -- guard measured_holdout_only: outcome(state, reason) == 'suppressed.holdout' => state == 'suppressed'
  local measured = state == 'sent' or state == 'unknown' or outcome(state, reason) == 'suppressed.holdout'
  -- guard measured_contact_day: without measured and tonumber(contacted_at or at) or
  local counted_at = measured and tonumber(contacted_at or at) or at
  if measured then redis.call('HSET', key, 'contacted_at', text(counted_at))
  -- guard unmeasured_contact: redis.call('HDEL', key, 'contacted_at', 'order') => text(0)
  elseif contacted_at then redis.call('HDEL', key, 'contacted_at', 'order') end
  add_history(key, at, outcome(state, reason))
  -- guard finish_body
  redis.call('HDEL', key, 'body')
  -- If an operator repeats it, the request needs the same bytes, while the API still knows its key.
  local until_ms = tonumber(first_sending or 0) + DAY
  -- guard body_kept_unknown: without state == 'unknown' and
  -- guard body_kept_day: and until_ms > at then => then until_ms = until_ms + DAY
  if state == 'unknown' and body and until_ms > at then
    redis.call('HSET', prefix .. 'body:' .. id, 'body', body)
    redis.call('PEXPIREAT', prefix .. 'body:' .. id, text(until_ms))
  end
  -- guard finish_ttl
  redis.call('PEXPIRE', key, OUTREACH_TTL)
  -- guard finish_leaves_due
  redis.call('ZREM', prefix .. 'due', id)
  -- guard finish_leaves_sets
  redis.call('ZREM', prefix .. 'leased', id)
  -- guard finish_parks_dead: without or state == 'dead'
  if state == 'unknown' or state == 'dead' then redis.call('ZADD', prefix .. state, text(at), id) end
  -- guard finish_counts_lane: without .. where(lane)
  count(prefix, counted_at, outcome(state, reason) .. where(lane), 1)
  -- guard finish_counts_order: measured and order => false
  if measured and order then count_order(prefix, state, lane, counted_at, order, 1) end
  -- guard finish_publishes
  publish(prefix, id, state, reason, at, session, lane, last, counted_at)
  -- guard finish_recovered: order and state == 'sent' => false
  -- guard finish_recovered_sent: without and state == 'sent'
  if order and state == 'sent' then publish(prefix, id, 'recovered', '', at, session, lane, last, counted_at, order) end
  -- guard finish_forgotten: without if session == '' then return state end
  if session == '' then return state end -- erased while it was in flight
  local session_key = prefix .. 'session:' .. session
  local session_state, open_outreach, sending = unpack(redis.call('HMGET', session_key, 'state', 'outreach', 'sending'))
  -- guard finish_frees_session
  if sending == id then redis.call('HDEL', session_key, 'sending') end
  -- The holdout counts as contacted, because the groups couldn't be compared otherwise.
  if measured then
    -- guard finish_counts_contact
    redis.call('HINCRBY', session_key, 'contacts', 1)
    -- guard finish_keeps_contact
    redis.call('HSET', session_key, 'contacted', id)
    -- guard finish_notes_contact
    note_contacted(prefix, session_key, counted_at, state == 'suppressed')
  end
  -- A later outreach of the session can still be open.
  -- guard finish_session_open: session_state ~= 'abandoned' or not open_outreach or open_outreach == id => true
  -- guard finish_session_ttl: session_state ~= 'abandoned' or not open_outreach or open_outreach == id => false
  -- guard finish_session_unclaimed: without not open_outreach or
  if session_state ~= 'abandoned' or not open_outreach or open_outreach == id then
    redis.call('PEXPIRE', session_key, SESSION_TTL)
  end
  return state
end
