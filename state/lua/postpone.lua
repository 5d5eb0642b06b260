#!lua
-- Returns an outreach before its fence, to be due again later; no attempt is counted.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  outreach; ARGV[2] our token; ARGV[3] delay (ms; '': keep the earlier due time); ARGV[4] reason for the
--          history ('': no line)
-- Returns  1, or nil if another worker has it
-- include: clock, requeue
local outreach, token, delay_ms, reason = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local prefix = KEYS[1]
local state, current_token = unpack(redis.call('HMGET', prefix .. 'outreach:' .. outreach, 'state', 'token'))
-- guard postpone_leased: without state ~= 'leased' or
-- guard postpone_ours: without or current_token ~= token
if state ~= 'leased' or current_token ~= token then return false end
local now = clock()
local was = redis.call('HGET', prefix .. 'outreach:' .. outreach, 'due') or now
-- guard postpone_place: tonumber(was) => now
local due = delay_ms == '' and tonumber(was) or now + delay_ms
requeue(prefix, outreach, due, now, reason == '' and '' or 'postponed.' .. reason)
return 1
