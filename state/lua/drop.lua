#!lua
-- A person gives a dead outreach up: it keeps its outcome and leaves the set of those that wait for a decision.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  outreach; ARGV[2] 'look': only say what would come of it
-- Returns  {'done'} | {'gone'} | {'is', its state} | {'dropped'} already
-- include: _outreach
local prefix, id = KEYS[1], ARGV[1]
local state = redis.call('HGET', prefix .. 'outreach:' .. id, 'state')
if not state then return {'gone'} end
if state ~= 'dead' then return {'is', state} end
if not redis.call('ZSCORE', prefix .. 'dead', id) then return {'dropped'} end
if ARGV[2] == 'look' then return {'done'} end
redis.call('ZREM', prefix .. 'dead', id)
note(prefix .. 'outreach:' .. id, clock(), 'dropped.by_operator')
return {'done'}
