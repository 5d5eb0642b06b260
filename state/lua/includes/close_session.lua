-- End a silent session without an outreach: `outcome` becomes its state and is counted for its lane.
-- include: claim_silence, constants, count, marked, where
local function close_session(prefix, key, activity, outcome, lane, now)
  -- guard close_marks: without 'activity', marked(activity),
  redis.call('HSET', key, 'activity', marked(activity), 'state', outcome)
  -- guard close_counts_silences
  claim_silence(prefix, key)
  -- guard close_ttl: redis.call('PEXPIRE', key, SESSION_TTL) => redis.call('PERSIST', key)
  redis.call('PEXPIRE', key, SESSION_TTL)
  -- guard close_counts_lane: outcome .. where(lane), => outcome,
  count(prefix, now, outcome .. where(lane), 1)
end
