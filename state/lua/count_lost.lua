#!lua flags=allow-oom
-- Counts entries that were removed from streams before ingest had applied them.
-- KEYS[1]  hash of the sweep
-- ARGV[1]  stream, number of entries missing from it; and so on
-- Returns  how many of them are new
-- include: clock, text
local sweep = KEYS[1]
local new = 0
for i = 1, #ARGV, 2 do
  local stream, missing = ARGV[i], ARGV[i + 1]
  local field = 'missing.' .. stream
  local known = redis.call('HGET', sweep, field)
  -- With no earlier number, or a higher one, the stream or the count has started from scratch.
  -- guard lost_first_count: if known and => known = known or 0 if
  -- guard lost_more: tonumber(missing) > tonumber(known) => true
  if known and tonumber(missing) > tonumber(known) then new = new + missing - known end
  -- guard lost_noted: without redis.call('HSET', sweep, field, missing)
  if known ~= missing then redis.call('HSET', sweep, field, missing) end
end
if new > 0 then
  redis.call('HINCRBY', sweep, 'lost', text(new))
  redis.call('HSET', sweep, 'lost_at', text(clock()))
end
return new
