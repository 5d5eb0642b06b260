#!lua flags=allow-oom
-- Records that outcomes were moved to the feed just now, and what the relay found out about it.
-- KEYS[1]  hash of the feed
-- ARGV[1]  how many outcomes were lost since the last report; ARGV[2] how long the hash is kept (ms); then fields and
--          values
-- Returns  the server's time (ms)
-- include: clock, text
local key, lost, ttl_ms, now = KEYS[1], ARGV[1], ARGV[2], clock()
-- guard feed_lost_adds: redis.call('HINCRBY', key, 'lost', lost) => redis.call('HSET', key, 'lost', lost)
if lost ~= '0' then redis.call('HINCRBY', key, 'lost', lost) end
-- guard feed_lost_at: lost ~= '0' => false
if lost ~= '0' then redis.call('HSET', key, 'lost_at', text(now)) end
-- guard feed_moved_at
redis.call('HSET', key, 'at', text(now), unpack(ARGV, 3))
-- guard feed_ttl
redis.call('PEXPIRE', key, ttl_ms)
return text(now)
