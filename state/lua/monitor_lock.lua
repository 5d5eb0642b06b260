#!lua flags=allow-oom
-- Takes the monitor lock, even if the server is out of memory: that is one of the problems to report.
-- KEYS[1]  text: the process that holds the lock
-- ARGV[1]  the process; ARGV[2] how long the lock lasts (ms)
-- Returns  1: this process holds it, 0: another process does
local lock, process, lock_ms = KEYS[1], ARGV[1], ARGV[2]
-- A lock with more time than this was taken while the clock was ahead.
-- guard monitor_ahead: redis.call('PTTL', lock) > tonumber(lock_ms) => false
-- guard monitor_held: redis.call('PTTL', lock) > tonumber(lock_ms) => true
if redis.call('PTTL', lock) > tonumber(lock_ms) then
  redis.call('SET', lock, process, 'PX', lock_ms)
  return 1
end
return redis.call('SET', lock, process, 'NX', 'PX', lock_ms) and 1 or 0
