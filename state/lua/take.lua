#!lua
-- Takes an outreach for a worker: only one that was dispatched and hasn't crashed several workers. One that is due
-- again is left to the next dispatch, which sets a new barrier.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  outreach; ARGV[2] length of the lease (ms); ARGV[3] takes without an orderly end before it is dead
-- Returns  nil if there is nothing to do, else {server time (ms), outreach hash, session hash}
-- include: clock, finish, text
local outreach, lease_ms, most_takes = ARGV[1], ARGV[2], ARGV[3]
local prefix, now = KEYS[1], clock()
local key = prefix .. 'outreach:' .. outreach
local state, takes, session, current_token = unpack(redis.call('HMGET', key, 'state', 'takes', 'session', 'token'))
-- guard take_waiting
if state ~= 'waiting' then return false end
-- guard take_dispatched: not redis.call('ZSCORE', prefix .. 'leased', outreach) => false
if not redis.call('ZSCORE', prefix .. 'leased', outreach) then return false end
-- guard takes_end: tonumber(takes) >= tonumber(most_takes) => false
if tonumber(takes) >= tonumber(most_takes) then
  finish(prefix, outreach, 'dead', 'stops_its_worker', now)
  return false
end
-- guard take_renews
redis.call('ZADD', prefix .. 'leased', text(now + lease_ms), outreach)
redis.call('HINCRBY', key, 'takes', 1)
-- By the clock: a token that a failed primary or a restore has lost must not be given to a second worker.
-- guard take_by_clock: math.max(tonumber(current_token) + 1, now) => now
-- guard take_above_last: math.max(tonumber(current_token) + 1, now) => tonumber(current_token) + 1
-- guard take_counts: without , 'token', text(math.max(tonumber(current_token) + 1, now))
redis.call('HSET', key, 'state', 'leased', 'token', text(math.max(tonumber(current_token) + 1, now)))
return {text(now), redis.call('HGETALL', key), redis.call('HGETALL', prefix .. 'session:' .. session)}
