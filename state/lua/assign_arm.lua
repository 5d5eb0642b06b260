#!lua
-- Records the arm of an experiment to which an outreach is assigned, and counts its person on this day.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  outreach; ARGV[2] our token; ARGV[3] `<experiment>.<arm>`; ARGV[4] '1' if the person counts for this
--          outreach
-- Returns  1, or nil if another worker has it or it was assigned before
-- include: add_history, clock, count, text, where
local outreach, token, arm, counts = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local prefix, now = KEYS[1], clock()
local key = prefix .. 'outreach:' .. outreach
local state, current_token, known, lane = unpack(redis.call('HMGET', key, 'state', 'token', 'arm', 'lane'))
-- guard assign_leased: without state ~= 'leased' or
-- guard assign_ours: without or current_token ~= token
-- guard assign_once: without or known
if state ~= 'leased' or current_token ~= token or known then return false end
redis.call('HSET', key, 'arm', arm)
add_history(key, now, 'assigned ' .. arm)
-- guard assign_counts: counts ~= '' => true
if counts ~= '' then
  -- guard assign_time
  redis.call('HSET', key, 'assigned_at', text(now))
  count(prefix, now, 'arm.' .. arm .. '.people' .. where(lane), 1)
end
return 1
