#!lua flags=allow-oom
-- Removes copies that are in a file.
-- KEYS[1]  stream of copies
-- ARGV[1]  hash that counts applied entries, in the slot of the stream; ARGV[2] bytes of their events;
--          ARGV[3...] entry ids
-- Returns  number removed
local copies, counter, bytes = KEYS[1], ARGV[1], tonumber(ARGV[2])
-- guard recorded_removes: redis.call('XDEL', copies, unpack(ARGV, 3)) => #ARGV - 2
local removed = redis.call('XDEL', copies, unpack(ARGV, 3))
-- guard recorded_counts
redis.call('HINCRBY', counter, 'recorded', removed)
-- Another recorder, or an erasure, can have removed some of them: then too much counts, until no copy waits.
-- guard recorded_bytes
if removed == #ARGV - 2 then redis.call('HINCRBY', counter, 'copied_bytes', -bytes) end
return removed
