#!lua flags=no-writes
-- Looks at a stream: the clock first, then everything else of the same moment.
-- KEYS[1]  stream of events
-- ARGV[1]  hash with the number of entries applied, in the same slot
-- Returns  {server time (ms), id of the first entry or '', highest id ever given out ('0-0': no stream), entries ever
--          added (-1: the server does not say), entries in it, entries applied, when the stream was last begun from
--          scratch because its ids lay in the future (ms) and its last id until then ('' for never)}
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
if redis.call('EXISTS', KEYS[1]) == 0 then return {now, '', '0-0', -1, 0, 0, ''} end
local first, last, added = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', '1'), '0-0', -1
local about = redis.call('XINFO', 'STREAM', KEYS[1])
for i = 1, #about, 2 do
  if about[i] == 'last-generated-id' then last = about[i + 1] end
  if about[i] == 'entries-added' then added = about[i + 1] end
end
local has = redis.call('HMGET', ARGV[1], 'applied', 'put_back')
return {now, first[1] and first[1][1] or '', last, added, redis.call('XLEN', KEYS[1]), tonumber(has[1] or 0), has[2] or ''}
