#!lua flags=allow-oom
-- Gives a person free again, only if this very attempt holds the reservation: it is certain that nobody was contacted.
-- KEYS[1]  prefix of the person
-- ARGV[1]  outreach; ARGV[2] our token
-- Returns  1 when released, else 0
local prefix, outreach, token = KEYS[1], ARGV[1], ARGV[2]
-- guard release_whole_claim: without .. ':'
local mine = token .. ':'
local held = redis.call('HGET', prefix .. 'reserved', outreach)
-- guard release_ours: string.sub(held, 1, #mine) == mine => true
if held and string.sub(held, 1, #mine) == mine then return redis.call('HDEL', prefix .. 'reserved', outreach) end
return 0
