#!lua flags=allow-oom
-- Creates the consumer group of a stream, also on a full server: without it nothing is read that would make room.
-- KEYS[1]  stream of events
-- ARGV[1]  consumer group
-- Returns  1; 0 when it was there
if redis.call('EXISTS', KEYS[1]) == 1 then
  for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
    if group[2] == ARGV[1] then return 0 end
  end
end
-- From 0, never from `$`: what waits must be read.
redis.call('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0', 'MKSTREAM')
return 1
