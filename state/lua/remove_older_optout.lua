#!lua flags=allow-oom
-- Removes a person's entry of one source from the opt-out list if it is older than a moment: its file was replaced.
-- KEYS[1]  prefix of the person
-- ARGV[1]  source; ARGV[2] the moment (ms)
-- Returns  1 if the entry was removed, else 0
local source, moment = ARGV[1], ARGV[2]
local key = KEYS[1] .. 'opted_out'
local at = redis.call('HGET', key, source)
-- guard optout_older: tonumber(at) >= tonumber(moment) => false
-- guard optout_same_moment: >= => >
if not at or tonumber(at) >= tonumber(moment) then return 0 end
-- guard optout_one: redis.call('HDEL', key, source) => redis.call('DEL', key)
return redis.call('HDEL', key, source)
