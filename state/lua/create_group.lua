#!lua flags=allow-oom
-- Creates the consumer group of a stream, even if the server is out of memory: only reading frees memory.
-- KEYS[1]  stream of events
-- ARGV[1]  consumer group
-- Returns  1; 0 if it existed
local stream, group = KEYS[1], ARGV[1]
if redis.call('EXISTS', stream) == 1 then
  for _, known in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
    if known[2] == group then return 0 end
  end
end
-- From 0, never from `$`: the waiting entries must be read.
-- guard group_from_start: '0', => '$',
redis.call('XGROUP', 'CREATE', stream, group, '0', 'MKSTREAM')
return 1
