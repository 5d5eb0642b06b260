#!lua flags=no-writes
-- Returns the size of the feed, and how far its consumer groups have read it.
-- KEYS[1]  stream of outcomes
-- ARGV[1]  how many entries were erased: they are no loss for a reader
-- Returns  {number of entries, then for each group: its name, entries that it hasn't read, entries that were removed
--          before it read them (0 for both if the server doesn't know)}
local stream, erased = KEYS[1], ARGV[1]
local function named(pairs_)
  local found = {}
  for i = 1, #pairs_, 2 do found[pairs_[i]] = pairs_[i + 1] end
  return found
end
-- guard feed_missing: redis.call('EXISTS', stream) == 0 => false
if redis.call('EXISTS', stream) == 0 then return {0} end
local about, reply = named(redis.call('XINFO', 'STREAM', stream)), {redis.call('XLEN', stream)}
-- All others were removed from the beginning.
-- guard feed_erased: without - erased
local removed = (about['entries-added'] or 0) - reply[1] - erased
for _, group in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
  local is = named(group)
  local read = is['entries-read']
  reply[#reply + 1] = is.name
  reply[#reply + 1] = is.lag or read and (about['entries-added'] or 0) - read or 0
  -- guard feed_missed: math.max(0, removed - read) => 0
  reply[#reply + 1] = read and math.max(0, removed - read) or 0
end
return reply
