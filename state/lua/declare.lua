#!lua
-- A worker declares how it sends. The record follows when all workers that run agree; until then no worker acts.
-- KEYS[1]  prefix of the control keys
-- ARGV[1]  the process; ARGV[2] how it sends; ARGV[3] how long a declaration counts (ms)
-- Returns  'agreed' | 'mixed' other workers declared something else | 'waits' the record says otherwise, and others may
--          not have had the time to declare themselves
-- include: _clock
local key, workers, now = KEYS[1] .. 'sending', KEYS[1] .. 'workers', clock()
local known, differs = redis.call('HGETALL', workers), false
local heard = #known == 0
for i = 1, #known, 2 do
  local at, how = string.match(known[i + 1], '^(%d+) (.+)$')
  at = tonumber(at)
  local counts = now - at <= tonumber(ARGV[3])
  -- A clock that was put back must not make a declaration count for longer.
  if at > now then redis.call('HSET', workers, known[i], text(now) .. ' ' .. how) end
  if known[i] == ARGV[1] then
    heard = heard or counts
  elseif now - at > DAY then
    redis.call('HDEL', workers, known[i])
  elseif counts and how ~= ARGV[2] then
    differs = true
  end
end
redis.call('HSET', workers, ARGV[1], text(now) .. ' ' .. ARGV[2])
redis.call('PEXPIRE', workers, DAY)
if differs then
  redis.call('HSETNX', key, 'mixed', text(now))
  return 'mixed'
end
local was = redis.call('HMGET', key, 'how', 'mixed')
if was[1] == ARGV[2] and not was[2] then return 'agreed' end
-- After a time in which no worker could declare itself, each waits one round for the others.
if not heard then return 'waits' end
redis.call('HSET', key, 'how', ARGV[2])
redis.call('HDEL', key, 'mixed')
return 'agreed'
