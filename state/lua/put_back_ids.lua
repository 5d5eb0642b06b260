#!lua flags=allow-oom
-- Begins a stream from scratch whose ids lie in the future, once it is empty: later events get ids of now again. A stream
-- whose last id is the highest there is takes no events at all until then.
-- KEYS[1]  stream of events
-- ARGV[1]  consumer group; ARGV[2] how far ahead ids may be (ms); ARGV[3] hash in the slot of the stream that keeps when
-- Returns  the id that was the highest; '' when nothing was to be done, or when there are entries
if redis.call('EXISTS', KEYS[1]) == 0 or redis.call('XLEN', KEYS[1]) > 0 then return '' end
local time, last = redis.call('TIME'), '0-0'
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local about = redis.call('XINFO', 'STREAM', KEYS[1])
for i = 1, #about, 2 do
  if about[i] == 'last-generated-id' then last = about[i + 1] end
end
if tonumber(string.match(last, '^%d+')) <= now + ARGV[2] then return '' end
-- First, since it is refused while the slot is moved to another node and this hash is there already.
redis.call('HSET', ARGV[3], 'put_back', string.format('%.0f ', now) .. last)
-- A consumer that waits for entries goes on waiting: the stream is there again.
redis.call('DEL', KEYS[1])
-- As of a shop that was heard now: a last id of 0 would mean that no event has ever come.
redis.call('XDEL', KEYS[1], redis.call('XADD', KEYS[1], string.format('%.0f-0', now), '', ''))
redis.call('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0')
return last
