#!lua flags=allow-oom
-- Ends an outreach for an operator if it has no request yet. One that a worker has taken ends too: at its fence, the
-- worker finds that the outreach isn't leased any more, and sends nothing.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  outreach; ARGV[2] 'dry_run': only return the result
-- Returns  {'done', its final state (none in a dry run)} | {'gone'} | {'is', its state}
-- include: clock, finish
local outreach, dry_run = ARGV[1], ARGV[2]
local prefix = KEYS[1]
local state = redis.call('HGET', prefix .. 'outreach:' .. outreach, 'state')
-- guard expire_gone
if not state then return {'gone'} end
-- guard expire_unsent: state ~= 'waiting' and state ~= 'leased' => false
if state ~= 'waiting' and state ~= 'leased' then return {'is', state} end
-- guard expire_dry_run
if dry_run == 'dry_run' then return {'done'} end
return {'done', finish(prefix, outreach, 'expired', 'by_operator', clock())}
