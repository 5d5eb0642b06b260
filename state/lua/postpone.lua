#!lua
-- Gives an outreach back before its fence, to be due again later; no attempt is counted.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  outreach; ARGV[2] our claim; ARGV[3] delay (ms; '': due since when it was); ARGV[4] why, for the history ('': not worth a line)
-- Returns  1, or nil: it is not ours any more
-- include: _outreach
local has = redis.call('HMGET', KEYS[1] .. 'outreach:' .. ARGV[1], 'state', 'claim')
if has[1] ~= 'leased' or has[2] ~= ARGV[2] then return false end
local now = clock()
local was = redis.call('HGET', KEYS[1] .. 'outreach:' .. ARGV[1], 'due') or now
local due = ARGV[3] == '' and tonumber(was) or now + ARGV[3]
give_back(KEYS[1], ARGV[1], due, now, ARGV[4] == '' and '' or 'postponed.' .. ARGV[4])
return 1
