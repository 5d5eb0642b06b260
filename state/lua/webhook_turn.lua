#!lua flags=allow-oom
-- Gives one sender of webhooks the turn, or renews it. Two at the same time could deliver outcomes in a wrong order.
-- KEYS[1]  text: the sender that has the turn
-- ARGV[1]  the sender; ARGV[2] how long a turn lasts (ms)
-- Returns  1: this sender has it, 0: another one does
local key, sender, turn_ms = KEYS[1], ARGV[1], ARGV[2]
local holder = redis.call('GET', key)
-- A turn with more time than this was taken while the clock was ahead.
-- guard turn_other: holder and holder ~= sender and redis.call('PTTL', key) <= tonumber(turn_ms) => false
-- guard turn_own: without holder ~= sender and
-- guard turn_ahead: without and redis.call('PTTL', key) <= tonumber(turn_ms)
if holder and holder ~= sender and redis.call('PTTL', key) <= tonumber(turn_ms) then return 0 end
redis.call('SET', key, sender, 'PX', turn_ms)
return 1
