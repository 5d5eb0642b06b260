#!lua
-- Claims the sessions of one partition that have been silent for too long.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  how many to examine; ARGV[2] max_abandonment_age (ms); ARGV[3] lanes as JSON: [{name, before_ms: silent
--          since then or earlier, wait_ms: threshold, reason: why no shopper is contacted ('': they are),
--          measure_from_expiry: age counts from the silence, checked_ms: when the sweep began (in the future: the clock
--          was put back)}]; ARGV[4] new ids without their last four digits; ARGV[5] rank names; ARGV[6...] field names
-- Returns  numbers examined (the limit: there can be more), taken, and of these unreachable; ids of new outreaches
-- include: constants, claim_silence, clock, close_session, count, hour_of_day, lane_of, marked, note_time, number_of
-- include: put_back_lane, silent_since, text, where
local prefix, limit, max_age, lanes = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), cjson.decode(ARGV[3])
local id_start, ranks, now, examined, taken, missing, made = ARGV[4], ARGV[5], clock(), 0, 0, 0, {}
local FIXED, ask = 5, {'HMGET', '', 'activity', 'signal', 'silent', 'state', 'seen', unpack(ARGV, 6)}
local function make(session, key, activity, lane, since, last, overdue)
  local outreach = id_start .. string.format('%04x', #made)
  made[#made + 1] = outreach
  redis.call('HSET', prefix .. 'outreach:' .. outreach, 'session', session, 'state', 'waiting', 'lane', lane.name,
    'last', text(last), 'expires_at', text(overdue + max_age), 'threshold', text(lane.wait_ms),
    'claimed_at', text(now), 'token', 0, 'attempts', 0, 'takes', 0,
    'history', text(now) .. ' claimed silent since ' .. text(since) .. '\n')
  redis.call('ZADD', prefix .. 'due', text(math.min(overdue, now)), outreach)
  -- The latest eight, 19 characters and a space each.
  -- guard claim_latest_eight: -160 => 1
  local all = string.sub((redis.call('HGET', key, 'outreaches') or '') .. outreach .. ' ', -160)
  -- guard claim_marks: without 'activity', marked(activity),
  redis.call('HSET', key, 'outreach', outreach, 'outreaches', all, 'activity', marked(activity), 'state', 'abandoned')
  -- guard claim_silence
  claim_silence(prefix, key, since, number_of(activity) % 100, string.match(lane.name, '[^.]+$'))
  -- guard claim_persists
  redis.call('PERSIST', key)
end
for _, lane in ipairs(lanes) do
  local set = prefix .. 'lane:' .. lane.name
  -- guard claim_puts_back
  put_back_lane(prefix, lane.name, lane.measure_from_expiry, now, limit)
  -- guard claim_limit: limit - examined => limit
  -- guard claim_clock_back: without lane.checked_ms > now + CLOCKS_DIFFER and 0 or
  local before, most = lane.checked_ms > now + CLOCKS_DIFFER and 0 or lane.before_ms, limit - examined
  local silent = redis.call('ZRANGE', set, '-inf', text(before), 'BYSCORE', 'LIMIT', '0', text(most), 'WITHSCORES')
  examined = examined + #silent / 2
  for i = 1, #silent, 2 do
    local id, key = silent[i], prefix .. 'session:' .. silent[i]
    ask[2] = key
    local has, reachable = redis.call(unpack(ask)), true
    -- guard claim_number_given: #has[n] > STAMP_WIDTH => true
    for n = FIXED + 1, #ask - 2 do reachable = reachable and has[n] and #has[n] > STAMP_WIDTH end
    local stored, stored_signal, stored_silent, state, seen = unpack(has, 1, FIXED)
    local activity, signal = number_of(stored), tonumber(stored_signal or 0)
    local last, since = math.max(activity, signal), silent_since(stored_silent, seen, math.max(activity, signal))
    -- guard claim_voucher_age: without lane.measure_from_expiry and since or
    -- guard claim_age_occurred: lane.measure_from_expiry and since or math.floor(last / 100) => since
    local overdue = (lane.measure_from_expiry and since or math.floor(last / 100)) + lane.wait_ms
    -- Skip a session that expired and started again: it is in another lane or done.
    -- guard claim_own_lane: without and lane_of(prefix, ranks, activity, signal) == set
    -- guard claim_done: without not state and
    local waits = stored and not state and lane_of(prefix, ranks, activity, signal) == set
    -- The score is a lower bound: the session can have had further activity in this lane.
    -- guard claim_still_active: waits and since > lane.before_ms => false
    local still_active = waits and since > lane.before_ms
    -- guard claim_leaves_lane: without redis.call('ZREM', set, id)
    -- guard claim_moves_up: redis.call('ZADD', set, text(since), id) => text(0)
    if still_active then redis.call('ZADD', set, text(since), id) else redis.call('ZREM', set, id) end
    if waits and not still_active or not stored then
      taken = taken + 1; count(prefix, now, 'silent.' .. lane.name, 1)
      -- guard claim_gone: not stored => false
      -- guard claim_gone_lane: without .. where(lane.name)
      if not stored then count(prefix, now, 'expired.session_gone' .. where(lane.name), 1)
      -- guard claim_too_old: now - overdue > max_age => false
      elseif now - overdue > max_age then close_session(prefix, key, stored, 'expired.too_old', lane.name, now)
      -- guard claim_reachable: not reachable => false
      elseif not reachable then missing = missing + 1; close_session(prefix, key, stored, 'unreachable', lane.name, now)
      -- guard claim_suppressed: lane.reason ~= '' => false
      elseif lane.reason ~= '' then close_session(prefix, key, stored, 'suppressed.' .. lane.reason, lane.name, now)
      else make(id, key, stored, lane, since, last, overdue) end
    end
  end
end
-- guard claim_counts_hour
if taken > 0 then count(prefix, now, 'silent_hour.' .. hour_of_day(prefix, now), taken) end
-- guard claim_notes_time
if #made > 0 then note_time(prefix, now) end
return {examined, taken, missing, unpack(made)}
