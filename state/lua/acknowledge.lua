#!lua flags=allow-oom
-- Removes applied entries in one step, deleting first: a crash between the two would hold the watermark for ever.
-- KEYS[1]  stream of events
-- ARGV[1]  consumer group; ARGV[2...] entry ids
-- Returns  number deleted
local deleted = redis.call('XDEL', KEYS[1], unpack(ARGV, 2))
redis.call('XACK', KEYS[1], ARGV[1], unpack(ARGV, 2))
return deleted
