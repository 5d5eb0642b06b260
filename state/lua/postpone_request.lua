#!lua
-- Runs an erasure again later: it failed, or a collector may hold events from before it.
-- KEYS[1]  prefix of privacy requests
-- ARGV[1]  its id; ARGV[2] after how long (ms); ARGV[3] why it failed ('': it didn't)
-- Returns  1 if it was open
-- include: clock, text
local request, wait_ms, problem = ARGV[1], ARGV[2], ARGV[3]
local prefix, now = KEYS[1], clock()
local key, failed = prefix .. 'request:' .. request, prefix .. 'open:failed'
-- guard request_postponed: redis.call('EXISTS', key) == 0 => false
if redis.call('EXISTS', key) == 0 then return 0 end
redis.call('ZADD', prefix .. 'due', text(now + wait_ms), request)
if problem == '' then
  redis.call('HSET', key, 'erased', text(now), 'problem', '', 'failures', '0')
  -- guard request_recovers
  redis.call('ZREM', failed, request)
else
  redis.call('HSET', key, 'problem', problem)
  redis.call('HINCRBY', key, 'failures', '1')
  -- guard request_failed_since: without 'NX',
  redis.call('ZADD', failed, 'NX', text(now), request)
end
return 1
