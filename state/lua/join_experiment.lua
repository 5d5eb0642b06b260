#!lua
-- Records for which outreach a person counts in an experiment: the first one. An experiment counts a person once.
-- KEYS[1]  prefix of the person
-- ARGV[1]  name of the experiment; ARGV[2] outreach; ARGV[3] how long this is kept (ms); ARGV[4] when it was taken (ms)
-- Returns  1 if the person counts for this outreach, else 0
-- include: call, is_erased
local name, outreach, ttl_ms, taken_at = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local prefix = KEYS[1]
-- guard join_barred: is_erased(prefix, taken_at) => false
if is_erased(prefix, taken_at) then return 0 end
local key = prefix .. 'experiment'
-- guard join_first: 'HSETNX' => 'HSET'
call('HSETNX', key, name, outreach)
-- guard join_ttl
call('PEXPIRE', key, ttl_ms)
-- guard join_own: call('HGET', key, name) == outreach => true
return call('HGET', key, name) == outreach and 1 or 0
