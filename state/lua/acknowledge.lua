#!lua flags=allow-oom
-- Removes applied entries in one step, deleting first: a crash between the two would hold the watermark for ever.
-- KEYS[1]  stream of events
-- ARGV[1]  consumer group; ARGV[2] '1' when no other entry lies between the first and the last (they come from one
--          read); ARGV[3] hash that counts what was applied, in the slot of the stream; ARGV[4...] entry ids, ascending
-- Returns  number deleted
local first, last = ARGV[4], ARGV[#ARGV]
-- Before anything is removed: while a slot is moved to another node, that hash may be there already, and this is refused.
redis.call('EXISTS', ARGV[3])
local head = ARGV[2] == '1' and redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', '1')[1]
local deleted = 0
if head and head[1] == first then
  -- At the head of the stream whole blocks can be cut off, at a fraction of the cost.
  deleted = redis.call('XTRIM', KEYS[1], 'MINID', '=', last) + redis.call('XDEL', KEYS[1], last)
else
  deleted = redis.call('XDEL', KEYS[1], unpack(ARGV, 4))
end
local had = redis.call('XACK', KEYS[1], ARGV[1], unpack(ARGV, 4))
-- Also those that a producer has removed from under us: they are applied.
if deleted > 0 or had > 0 then redis.call('HINCRBY', ARGV[3], 'applied', math.max(deleted, had)) end
return deleted
