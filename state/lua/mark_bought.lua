#!lua
-- Marks a person as a buyer until the window after the purchase has passed; the latest purchase counts.
-- KEYS[1]  prefix of the person
-- ARGV[1]  when they bought (ms); ARGV[2] the window (ms)
-- Returns  1 when marked, 0 when that is long ago or a later purchase is known
-- include: _barred
if is_barred(KEYS[1], ARGV[1]) then return 0 end
local key, time = KEYS[1] .. 'bought', redis.call('TIME')
local now, ends = time[1] * 1000 + math.floor(time[2] / 1000), ARGV[1] + ARGV[2]
local known = tonumber(redis.call('GET', key) or 0)
if ends <= now or known >= tonumber(ARGV[1]) then return 0 end
redis.call('SET', key, ARGV[1], 'PXAT', string.format('%.0f', ends))
return 1
