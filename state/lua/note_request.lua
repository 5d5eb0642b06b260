#!lua
-- Notes what an erasure found of the person, before anything is removed.
-- KEYS[1]  prefix of privacy requests
-- ARGV[1]  its id; ARGV[2] the notes
-- Returns  1 if it is open
local request, notes = ARGV[1], ARGV[2]
local key = KEYS[1] .. 'request:' .. request
-- guard request_noted: redis.call('EXISTS', key) == 0 => false
if redis.call('EXISTS', key) == 0 then return 0 end
redis.call('HSET', key, 'found', notes)
return 1
