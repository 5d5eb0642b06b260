#!lua flags=allow-oom
-- Counts entries that were removed from streams before ingest had applied them.
-- KEYS[1]  hash of the sweep
-- ARGV[1]  stream, entries that are missing from it by now; and so on
-- Returns  how many are missing that were not before
-- include: _clock
local new = 0
for i = 1, #ARGV, 2 do
  local field = 'missing.' .. ARGV[i]
  local known = redis.call('HGET', KEYS[1], field)
  -- Without a number from before, or with a higher one, the stream or the count has begun from scratch.
  if known and tonumber(ARGV[i + 1]) > tonumber(known) then new = new + ARGV[i + 1] - known end
  if known ~= ARGV[i + 1] then redis.call('HSET', KEYS[1], field, ARGV[i + 1]) end
end
if new > 0 then
  redis.call('HINCRBY', KEYS[1], 'lost', text(new))
  redis.call('HSET', KEYS[1], 'lost_at', text(clock()))
end
return new
