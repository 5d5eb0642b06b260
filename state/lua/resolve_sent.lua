#!lua
-- Records for an operator that an unknown outreach was delivered.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  outreach; ARGV[2] 'dry_run': only return the result
-- Returns  {'done'} | {'gone'} | {'is', its state}
-- include: clock, finish, reopen_outreach
local outreach, dry_run = ARGV[1], ARGV[2]
local prefix = KEYS[1]
local state = redis.call('HGET', prefix .. 'outreach:' .. outreach, 'state')
if not state then return {'gone'} end
-- guard resolve_unknown
if state ~= 'unknown' then return {'is', state} end
-- guard resolve_dry_run
if dry_run == 'dry_run' then return {'done'} end
-- guard resolve_reopens
reopen_outreach(prefix, outreach)
finish(prefix, outreach, 'sent', 'by_operator', clock())
return {'done'}
