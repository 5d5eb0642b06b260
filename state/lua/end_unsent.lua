#!lua
-- Ends an outreach before its fence, because the policy forbids it.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  outreach; ARGV[2] our token; ARGV[3] state to end in; ARGV[4] reason
-- Returns  its final state, or nil if another worker has it
-- include: clock, finish
local outreach, token, ending, reason = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local prefix = KEYS[1]
local state, current_token = unpack(redis.call('HMGET', prefix .. 'outreach:' .. outreach, 'state', 'token'))
-- guard end_unsent_leased: without state ~= 'leased' or
-- guard end_unsent_ours: without or current_token ~= token
if state ~= 'leased' or current_token ~= token then return false end
return finish(prefix, outreach, ending, reason, clock())
