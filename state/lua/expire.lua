#!lua flags=allow-oom
-- A person ends an outreach that no request was begun for. One that a worker has taken ends too: whatever its claim,
-- that worker finds at its fence that the outreach is not leased any more, and sends nothing.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  outreach; ARGV[2] 'dry_run': only say what would happen
-- Returns  {'done', the state it ended in; none when it only looked} | {'gone'} | {'is', its state}
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
