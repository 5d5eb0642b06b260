#!lua flags=allow-oom
-- Creates the consumer group of a stream, also on a full server: without it nothing is read that would make room.
-- KEYS[1]  stream of events
-- ARGV[1]  consumer group
-- Returns  1; 0 when it was there
local stream, group = KEYS[1], ARGV[1]
if redis.call('EXISTS', stream) == 1 then
  for _, known in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
    if known[2] == group then return 0 end
  end
end
-- From 0, never from `$`: what waits must be read.
-- guard group_from_start: '0', => '$',
redis.call('XGROUP', 'CREATE', stream, group, '0', 'MKSTREAM')
return 1
