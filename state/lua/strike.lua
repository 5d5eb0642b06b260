#!lua flags=allow-oom
-- Removes a person's entry of one source from the opt-out list if it is older than a moment: its file was replaced.
-- KEYS[1]  prefix of the person
-- ARGV[1]  source; ARGV[2] the moment (ms)
-- Returns  1 when the entry was removed, else 0
local key = KEYS[1] .. 'opted_out'
local at = redis.call('HGET', key, ARGV[1])
if not at or tonumber(at) >= tonumber(ARGV[2]) then return 0 end
return redis.call('HDEL', key, ARGV[1])
