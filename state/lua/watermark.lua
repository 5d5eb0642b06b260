#!lua flags=no-writes
-- How far silence can be measured: the clock first, then the first entry nobody has applied (applied ones are deleted).
-- KEYS[1]  stream of events
-- Returns  {server time (ms), id of the first entry or ''}
local time = redis.call('TIME')
local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', '1')
return {string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)), first[1] and first[1][1] or ''}
