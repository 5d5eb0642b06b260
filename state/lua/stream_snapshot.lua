#!lua flags=no-writes
-- Returns a snapshot of a stream: the clock first, then everything else at the same moment.
-- KEYS[1]  stream of events
-- ARGV[1]  hash with the number of entries applied, in the same slot
-- Returns  {server time (ms), id of the first entry or '', highest id ever assigned ('0-0': no stream), entries ever
--          added (-1: the server doesn't report it), entries in it, entries applied, when the stream was last started
--          from scratch because its ids were in the future (ms) and its last id until then ('' for never)}
-- include: clock, text
local stream, counter = KEYS[1], ARGV[1]
local now = text(clock())
if redis.call('EXISTS', stream) == 0 then return {now, '', '0-0', -1, 0, 0, ''} end
local first, last, added = redis.call('XRANGE', stream, '-', '+', 'COUNT', '1'), '0-0', -1
local about = redis.call('XINFO', 'STREAM', stream)
for i = 1, #about, 2 do
  -- guard look_last_id
  if about[i] == 'last-generated-id' then last = about[i + 1] end
  -- guard look_added
  if about[i] == 'entries-added' then added = about[i + 1] end
end
local applied, put_back = unpack(redis.call('HMGET', counter, 'applied', 'put_back'))
-- guard look_waiting: redis.call('XLEN', stream) => 0
-- guard look_applied: tonumber(applied or 0) => 0
return {now, first[1] and first[1][1] or '', last, added, redis.call('XLEN', stream), tonumber(applied or 0),
  -- guard look_put_back: without put_back or
  put_back or ''}
