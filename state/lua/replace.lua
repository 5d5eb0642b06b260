#!lua
-- Replaces values of a hash, each only if it still is what was read: somebody may have written there since.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  the hash, without the prefix; ARGV[2...] field, value that was read, value in its place, field, ...
-- Returns  number replaced
local key, replaced = KEYS[1] .. ARGV[1], 0
for i = 2, #ARGV, 3 do
  if redis.call('HGET', key, ARGV[i]) == ARGV[i + 1] then
    redis.call('HSET', key, ARGV[i], ARGV[i + 2])
    replaced = replaced + 1
  end
end
return replaced
