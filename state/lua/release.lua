#!lua flags=allow-oom
-- Releases a person if this attempt holds the reservation. Only for attempts that certainly made no contact.
-- KEYS[1]  prefix of the person
-- ARGV[1]  outreach; ARGV[2] our token
-- Returns  1 if released, else 0
local prefix, outreach, token = KEYS[1], ARGV[1], ARGV[2]
-- guard release_whole_claim: without .. ':'
local mine = token .. ':'
local held = redis.call('HGET', prefix .. 'reserved', outreach)
-- guard release_ours: string.sub(held, 1, #mine) == mine => true
if held and string.sub(held, 1, #mine) == mine then return redis.call('HDEL', prefix .. 'reserved', outreach) end
return 0
