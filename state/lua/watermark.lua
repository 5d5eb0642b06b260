#!lua flags=no-writes
-- Returns how far silence can be measured: the clock, then the first entry that isn't applied (applied ones are
--          deleted).
-- KEYS[1]  stream of events
-- Returns  {server time (ms), id of the first entry or ''}
-- include: clock, text
local now = text(clock())
local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', '1')
-- guard watermark_first: without first[1] and first[1][1] or
return {now, first[1] and first[1][1] or ''}
