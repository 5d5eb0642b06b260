#!lua flags=allow-oom
-- Takes the turn to look for all processes. Also on a full server: that is one of the things to be told.
-- KEYS[1]  text: who has the turn
-- ARGV[1]  the process; ARGV[2] how long the turn lasts (ms)
-- Returns  1: it is ours, 0: somebody else has it
local lock, process, lock_ms = KEYS[1], ARGV[1], ARGV[2]
-- A turn that lasts longer was taken while the clock was ahead.
-- guard monitor_ahead: redis.call('PTTL', lock) > tonumber(lock_ms) => false
-- guard monitor_held: redis.call('PTTL', lock) > tonumber(lock_ms) => true
if redis.call('PTTL', lock) > tonumber(lock_ms) then
  redis.call('SET', lock, process, 'PX', lock_ms)
  return 1
end
return redis.call('SET', lock, process, 'NX', 'PX', lock_ms) and 1 or 0
