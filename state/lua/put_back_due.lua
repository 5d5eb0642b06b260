#!lua flags=allow-oom
-- Puts back what is due in the future of a partition, after its clock was put back.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  by how much the clock was put back (ms); ARGV[2] from when on (ms); ARGV[3] how many to look at
-- Returns  from when on to go on (ms; 0: it is done)
-- include: _clock
local set, now, step = KEYS[1] .. 'due', clock(), tonumber(ARGV[1])
local from, most = text(math.max(now + 1, ARGV[2])), tonumber(ARGV[3])
local later = redis.call('ZRANGE', set, from, '+inf', 'BYSCORE', 'LIMIT', '0', ARGV[3], 'WITHSCORES')
-- The earliest first: what was put back lies before `from`, and is not met again.
for i = 1, #later, 2 do redis.call('ZADD', set, text(math.max(now, later[i + 1] - step)), later[i]) end
return #later < 2 * most and '0' or text(tonumber(later[#later]))
