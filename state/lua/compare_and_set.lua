#!lua
-- Replaces values of a hash, each only if it hasn't changed since it was read.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  the hash, without the prefix; ARGV[2...] field, value that was read, new value, field, ...
-- Returns  number replaced
local hash = ARGV[1]
local key, replaced = KEYS[1] .. hash, 0
for i = 2, #ARGV, 3 do
  local field, old, new = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  -- guard compare_same: redis.call('HGET', key, field) == old => true
  if redis.call('HGET', key, field) == old then
    redis.call('HSET', key, field, new)
    replaced = replaced + 1
  end
end
return replaced
