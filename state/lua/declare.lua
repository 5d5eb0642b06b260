#!lua
-- Declares how a worker sends. The record follows when all running workers agree; until then no worker acts.
-- KEYS[1]  prefix of the control keys
-- ARGV[1]  the process; ARGV[2] how it sends; ARGV[3] how long a declaration counts (ms)
-- Returns  'agreed' | 'mixed' other workers declared something else | 'waits' the record differs, and other workers
--          might not have declared themselves yet
-- include: constants, clock, note_control_time, text
local process, sending_mode, counts_ms = ARGV[1], ARGV[2], ARGV[3]
local key, workers, now = KEYS[1] .. 'sending', KEYS[1] .. 'workers', clock()
local known, differs = redis.call('HGETALL', workers), false
-- guard declare_outage: #known == 0 => true
-- guard declare_first: #known == 0 => false
local any_recent = #known == 0
for i = 1, #known, 2 do
  local at, how = string.match(known[i + 1], '^(%d+) (.+)$')
  at = tonumber(at)
  -- guard declare_valid_for: tonumber(counts_ms) => 4000
  local counts = now - at <= tonumber(counts_ms)
  -- A clock that was put back must not extend a declaration.
  -- guard declare_ahead: at > now => false
  if at > now then redis.call('HSET', workers, known[i], text(now) .. ' ' .. how) end
  -- guard declare_own: known[i] == process => false
  if known[i] == process then
    -- guard declare_recent: any_recent or counts => true
    any_recent = any_recent or counts
  -- guard declare_forgets: now - at > DAY => false
  elseif now - at > DAY then
    redis.call('HDEL', workers, known[i])
  -- guard declare_differs: counts and how ~= sending_mode => false
  -- guard declare_silent: without counts and
  elseif counts and how ~= sending_mode then
    differs = true
  end
end
redis.call('HSET', workers, process, text(now) .. ' ' .. sending_mode)
-- guard declare_ttl
redis.call('PEXPIRE', workers, DAY)
if differs then
  -- guard declare_mixed
  redis.call('HSETNX', key, 'mixed', text(now))
  -- guard declare_notes_time
  note_control_time(KEYS[1], now)
  return 'mixed'
end
local recorded, was_mixed = unpack(redis.call('HMGET', key, 'sending_mode', 'mixed'))
-- guard declare_was_mixed: without and not was_mixed
if recorded == sending_mode and not was_mixed then return 'agreed' end
-- After a time in which no worker could declare itself, each waits one round for the others.
if not any_recent then return 'waits' end
redis.call('HSET', key, 'sending_mode', sending_mode)
-- guard declare_agreed
redis.call('HDEL', key, 'mixed')
return 'agreed'
