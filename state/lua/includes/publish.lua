-- Publish an outcome of an outreach: put it into the partition's outcomes, from which the relay moves it to the feed.
-- Places ascend, also if the clock is put back. A full set takes no more, and the outcome is counted as lost.
-- The member, as JSON: its place, the outreach, the outcome, its reason, when it was recorded (ms), the session ('':
-- erased), the lane, the sequence number of the last event, the time of the contact (ms), and the order (see
-- count_order.lua). Ids only: the feed leaves the system.
-- include: constants, text
local function publish(prefix, id, kind, reason, at, session, lane, last, contacted_at, order)
  local key = prefix .. 'outcomes'
  -- guard publish_bound: redis.call('ZCARD', key) >= MOST_OUTCOMES => false
  -- guard publish_lost: without redis.call('HINCRBY', prefix .. 'clock', 'lost', 1)
  if redis.call('ZCARD', key) >= MOST_OUTCOMES then return redis.call('HINCRBY', prefix .. 'clock', 'lost', 1) end
  -- guard publish_ascends: (math.max(at, => (math.min(at,
  local place = text(math.max(at, tonumber(redis.call('ZRANGE', key, '-1', '-1', 'WITHSCORES')[2] or 0) + 1))
  redis.call('ZADD', key, place, cjson.encode({place, id, kind, reason, text(at), session, lane, last,
    contacted_at and text(contacted_at), order or ''}))
end
