#!lua flags=allow-oom
-- Starts a stream from scratch if its ids are in the future and it is empty, so that later events get ids of now. A
-- stream whose last id is the highest possible takes no events until then.
-- KEYS[1]  stream of events
-- ARGV[1]  consumer group; ARGV[2] how far ahead ids can be (ms); ARGV[3] hash in the slot of the stream that keeps the
--          time
-- Returns  the id that was the highest; '' if there was nothing to do, or if there are entries
-- include: clock, text
local stream, group, ahead_ms, counter = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
-- guard back_ids_empty: without or redis.call('XLEN', stream) > 0
if redis.call('EXISTS', stream) == 0 or redis.call('XLEN', stream) > 0 then return '' end
local now, last = clock(), '0-0'
local about = redis.call('XINFO', 'STREAM', stream)
for i = 1, #about, 2 do
  if about[i] == 'last-generated-id' then last = about[i + 1] end
end
-- guard back_ids_ahead: now + ahead_ms => 0
if tonumber(string.match(last, '^%d+')) <= now + ahead_ms then return '' end
-- First, since it is refused while the slot moves to another node and this hash is there already.
redis.call('HSET', counter, 'put_back', text(now) .. ' ' .. last)
-- A blocked consumer stays blocked, because the stream is created again.
redis.call('DEL', stream)
-- An id of now: a last id of 0 would mean that no event has ever arrived.
-- guard back_ids_heard: text(now) .. '-0', => '0-1',
redis.call('XDEL', stream, redis.call('XADD', stream, text(now) .. '-0', '', ''))
-- guard back_ids_group
redis.call('XGROUP', 'CREATE', stream, group, '0')
return last
