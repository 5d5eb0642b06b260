#!lua flags=allow-oom
-- Removes copies that are in a file.
-- KEYS[1]  stream of copies
-- ARGV[1]  hash that counts applied entries, in the slot of the stream; ARGV[2...] entry ids
-- Returns  number removed
local copies, counter = KEYS[1], ARGV[1]
-- guard recorded_removes: redis.call('XDEL', copies, unpack(ARGV, 2)) => #ARGV - 1
local removed = redis.call('XDEL', copies, unpack(ARGV, 2))
-- guard recorded_counts
redis.call('HINCRBY', counter, 'recorded', removed)
return removed
