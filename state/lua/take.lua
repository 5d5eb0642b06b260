#!lua
-- A worker takes an outreach: only one that waits as it was dispatched, and has not outlived several takers.
-- One that is due again is left to the next dispatch, which notes what has arrived until then.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  outreach; ARGV[2] length of the lease (ms); ARGV[3] takes without an orderly end before it is dead
-- Returns  nil when there is nothing to do, else {server time (ms), outreach hash, session hash}
-- include: _outreach
local prefix, id, now = KEYS[1], ARGV[1], clock()
local key = prefix .. 'outreach:' .. id
local has = redis.call('HMGET', key, 'state', 'takes', 'session', 'claim')
if has[1] ~= 'waiting' then return false end
if not redis.call('ZSCORE', prefix .. 'leased', id) then return false end
if tonumber(has[2]) >= tonumber(ARGV[3]) then
  finish(prefix, id, 'dead', 'stops_its_worker', now)
  return false
end
redis.call('ZADD', prefix .. 'leased', text(now + ARGV[2]), id)
redis.call('HINCRBY', key, 'takes', 1)
-- By the clock: a claim that a failed primary or a restore has lost must not be given to a second worker.
redis.call('HSET', key, 'state', 'leased', 'claim', text(math.max(tonumber(has[4]) + 1, now)))
return {text(now), redis.call('HGETALL', key), redis.call('HGETALL', prefix .. 'session:' .. has[3])}
