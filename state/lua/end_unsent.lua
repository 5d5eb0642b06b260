#!lua
-- Ends an outreach before its fence: the policy said no.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  outreach; ARGV[2] our claim; ARGV[3] state to end in; ARGV[4] reason
-- Returns  the state it ended in, or nil: it is not ours any more
-- include: _outreach
local has = redis.call('HMGET', KEYS[1] .. 'outreach:' .. ARGV[1], 'state', 'claim')
if has[1] ~= 'leased' or has[2] ~= ARGV[2] then return false end
return finish(KEYS[1], ARGV[1], ARGV[3], ARGV[4], clock())
