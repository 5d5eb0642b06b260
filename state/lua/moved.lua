#!lua flags=allow-oom
-- Removes outcomes of one partition after they were added to the feed.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  an outcome, as it is in the set; ARGV[2...] further ones
-- Returns  how many outcomes were lost since the last call, because the set was full
local prefix = KEYS[1]
-- guard moved_removes
redis.call('ZREM', prefix .. 'outcomes', unpack(ARGV))
local lost = tonumber(redis.call('HGET', prefix .. 'clock', 'lost') or 0)
-- guard moved_lost_once
redis.call('HDEL', prefix .. 'clock', 'lost')
return lost
