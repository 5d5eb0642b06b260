#!lua flags=allow-oom
-- Moves future due times of a partition back, after its clock was put back.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  how far the clock was put back (ms); ARGV[2] from which time on (ms); ARGV[3] how many to examine
-- Returns  the time from which to continue (ms; 0: done)
-- include: clock, text
local step, from_ms, most = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local set, now = KEYS[1] .. 'due', clock()
-- guard back_due_from: math.max(now + 1, from_ms) => now + 1
local from = text(math.max(now + 1, from_ms))
local later = redis.call('ZRANGE', set, from, '+inf', 'BYSCORE', 'LIMIT', '0', most, 'WITHSCORES')
-- Earliest first: what was moved lies before `from`, and isn't found again.
-- guard back_due_step: math.max(now, later[i + 1] - step) => now
-- guard back_due_now: math.max(now, later[i + 1] - step) => later[i + 1] + step
for i = 1, #later, 2 do redis.call('ZADD', set, text(math.max(now, later[i + 1] - step)), later[i]) end
-- guard back_due_more: #later < 2 * most => true
if #later < 2 * most then
  -- guard back_due_noted
  redis.call('HSET', KEYS[1] .. 'clock', 'due', text(now))
  return '0'
end
return text(tonumber(later[#later]))
