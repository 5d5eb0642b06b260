#!lua flags=allow-oom
-- Records the number of streams, even if the server is out of memory, because ingest begins with it. The number never
-- falls: a producer might still write to all of them.
-- KEYS[1]  hash of the deployment
-- ARGV[1]  the least number of streams
-- Returns  how many there are
-- guard streams_full_server: #!lua flags=allow-oom => #!lua
local deployment, wanted = KEYS[1], ARGV[1]
local recorded = tonumber(redis.call('HGET', deployment, 'streams') or '1')
-- guard streams_never_fewer: tonumber(wanted) <= recorded => false
-- guard streams_number: tonumber(wanted) <= recorded => wanted <= tostring(recorded)
if tonumber(wanted) <= recorded then return recorded end
redis.call('HSET', deployment, 'streams', wanted)
return tonumber(wanted)
