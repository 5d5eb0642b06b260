#!lua
-- Supersedes a session by another one: it leaves its lane, and its open outreach is cancelled.
-- KEYS[1]  prefix of the partition of the earlier session
-- ARGV[1]  the earlier session; ARGV[2] the later one; ARGV[3] sequence number of the event that caused it; ARGV[4]
--          names of the ranks (see apply.lua)
-- Returns  {1 if a request is in flight for it, its hash, flat}
-- include: constants, cancel_outreach, lane_of, marked, number_of
local earlier, later, stamp_text, ranks = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local prefix, stamp = KEYS[1], tonumber(stamp_text)
local key = prefix .. 'session:' .. earlier
local activity, signal, purchase, state, superseded_stamp, superseded_by, circle_stamp =
  unpack(redis.call('HMGET', key, 'activity', 'signal', 'purchase', 'state', 'superseded', 'superseded_by',
    'circle_stamp'))
local a, s, p = number_of(activity), tonumber(signal or 0), tonumber(purchase or 0)
-- guard supersede_forgotten
if state == 'forgotten' then return {0, {}} end
local superseded = tonumber(superseded_stamp or 0)
-- Of two at the same moment the same one wins, in either order.
-- guard supersede_tie: without or stamp == superseded and later > (superseded_by or '')
-- guard supersede_tie_order: without and later > (superseded_by or '')
local is_newer = stamp > superseded or stamp == superseded and later > (superseded_by or '')
-- guard supersede_stays: without stamp > tonumber(circle_stamp or 0) and
if stamp > tonumber(circle_stamp or 0) and is_newer then
  redis.call('HSET', key, 'superseded', stamp_text, 'superseded_by', later)
  -- guard supersede_newer_activity: without and math.max(a, s) <= stamp
  -- guard supersede_bought: without p <= a and
  if p <= a and math.max(a, s) <= stamp then
    -- guard supersede_calls_off
    if state == 'abandoned' then cancel_outreach(prefix, key, 'superseded') end
    local lane = not state and lane_of(prefix, ranks, a, s)
    -- guard supersede_leaves_lane
    if lane then redis.call('ZREM', lane, earlier) end
    -- guard supersede_marks: without activity and {'activity', marked(activity)} or
    redis.call('HSET', key, 'state', 'superseded', unpack(activity and {'activity', marked(activity)} or {}))
  end
  -- guard supersede_ttl: without redis.call('PEXPIRE', key, SESSION_TTL)
  if redis.call('HGET', key, 'state') ~= 'abandoned' then redis.call('PEXPIRE', key, SESSION_TTL) end
end
local sending = redis.call('HGET', key, 'sending')
local in_flight = sending and redis.call('HGET', prefix .. 'outreach:' .. sending, 'state') == 'sending'
return {in_flight and 1 or 0, redis.call('HGETALL', key)}
