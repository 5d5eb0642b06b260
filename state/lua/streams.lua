#!lua flags=allow-oom
-- Records how many streams of events there are, also on a full server: ingest begins with it. Never fewer than before:
-- somebody may still write to all of them.
-- KEYS[1]  hash of the deployment
-- ARGV[1]  how many there have to be at least
-- Returns  how many there are
local recorded = tonumber(redis.call('HGET', KEYS[1], 'streams') or '1')
if tonumber(ARGV[1]) <= recorded then return recorded end
redis.call('HSET', KEYS[1], 'streams', ARGV[1])
return tonumber(ARGV[1])
