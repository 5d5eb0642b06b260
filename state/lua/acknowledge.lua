#!lua flags=allow-oom
-- Removes applied entries in one step. They are deleted first: a crash between the two steps would block the watermark.
-- KEYS[1]  stream of events
-- ARGV[1]  consumer group; ARGV[2] '1' if no other entry lies between the first and the last (they come from one read);
--          ARGV[3] hash that counts applied entries, in the slot of the stream; ARGV[4...] entry ids, ascending
-- Returns  number deleted
-- include: copy_for_recorder
local stream, group, is_one_read, counter = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local first, last = ARGV[4], ARGV[#ARGV]
-- Before anything is removed: while a slot moves to another node, this hash can already be there. Then this is refused.
redis.call('EXISTS', counter)
-- guard acknowledge_head_only: without is_one_read == '1' and
local head = is_one_read == '1' and redis.call('XRANGE', stream, '-', '+', 'COUNT', '1')[1]
local deleted = 0
-- guard acknowledge_head: without and head[1] == first
local is_range = head and head[1] == first
-- guard acknowledge_copies: copy_for_recorder(stream, counter, ARGV, 4, is_range) => nil
local copied = copy_for_recorder(stream, counter, ARGV, 4, is_range)
if is_range then
  -- At the head of the stream, whole blocks can be cut off at a fraction of the cost.
  -- guard acknowledge_last: without + redis.call('XDEL', stream, last)
  deleted = redis.call('XTRIM', stream, 'MINID', '=', last) + redis.call('XDEL', stream, last)
else
  -- guard acknowledge_deletes
  deleted = redis.call('XDEL', stream, unpack(ARGV, 4))
end
-- guard acknowledge_acks: redis.call('XACK', stream, group, unpack(ARGV, 4)) => 0
local had = redis.call('XACK', stream, group, unpack(ARGV, 4))
-- Count entries that a producer has removed before this, too: they are applied.
-- guard acknowledge_counts: math.max(deleted, had) => deleted
if deleted > 0 or had > 0 then redis.call('HINCRBY', counter, 'applied', math.max(deleted, had)) end
-- An entry that was acknowledged before was copied then.
-- guard copy_lost: copied and deleted > copied => false
if copied and deleted > copied then redis.call('HINCRBY', counter, 'uncopied', deleted - copied) end
return deleted
