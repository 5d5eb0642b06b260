#!lua
-- Drops a dead outreach for an operator: it keeps its outcome and leaves the set of those waiting for a decision.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  outreach; ARGV[2] 'dry_run': only return the result
-- Returns  {'done'} | {'gone'} | {'is', its state} | {'dropped'} earlier
-- include: add_history, clock
local outreach, dry_run = ARGV[1], ARGV[2]
local prefix = KEYS[1]
local state = redis.call('HGET', prefix .. 'outreach:' .. outreach, 'state')
-- guard discard_gone
if not state then return {'gone'} end
-- guard discard_dead_only
if state ~= 'dead' then return {'is', state} end
if not redis.call('ZSCORE', prefix .. 'dead', outreach) then return {'dropped'} end
-- guard discard_dry_run
if dry_run == 'dry_run' then return {'done'} end
redis.call('ZREM', prefix .. 'dead', outreach)
add_history(prefix .. 'outreach:' .. outreach, clock(), 'dropped.by_operator')
return {'done'}
