#!lua flags=allow-oom
-- Gives a person free again, only if this very attempt holds the reservation: it is certain that nobody was contacted.
-- KEYS[1]  prefix of the person
-- ARGV[1]  outreach; ARGV[2] our claim
-- Returns  1 when released, else 0
local mine = ARGV[2] .. ':'
local held = redis.call('HGET', KEYS[1] .. 'reserved', ARGV[1])
if held and string.sub(held, 1, #mine) == mine then return redis.call('HDEL', KEYS[1] .. 'reserved', ARGV[1]) end
return 0
