#!lua flags=allow-oom
-- Takes the turn to look for all processes. Also on a full server: that is one of the things to be told.
-- KEYS[1]  text: who has the turn
-- ARGV[1]  the process; ARGV[2] how long the turn lasts (ms)
-- Returns  1: it is ours, 0: somebody else has it
-- A turn that lasts longer was taken while the clock was ahead.
if redis.call('PTTL', KEYS[1]) > tonumber(ARGV[2]) then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return 1
end
return redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) and 1 or 0
