#!lua flags=allow-oom
-- Records how an attempt went. Allowed under claim alone, also when the lease has run out and it counts as unknown.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  outreach; ARGV[2] our claim; ARGV[3] result: sent | dead | suppressed | unknown | retry | not_sent
--          ARGV[4] reason; ARGV[5] delay before it is due again (ms); ARGV[6] line for the history; ARGV[7] '1': ambiguous
-- Returns  the state it is in now, or nil: it is not ours any more
-- include: _outreach
-- include: _reopen
local prefix, id, result, reason, now = KEYS[1], ARGV[1], ARGV[3], ARGV[4], clock()
local key = prefix .. 'outreach:' .. id
local has = redis.call('HMGET', key, 'state', 'claim', 'session')
if (has[1] ~= 'sending' and has[1] ~= 'unknown') or has[2] ~= ARGV[2] then return false end
local session, forgotten = prefix .. 'session:' .. has[3], has[3] == ''
-- What is tried in vain every few seconds is told once.
local said = ' ' .. outcome(result, reason) .. '\n'
local again = result == 'not_sent' and string.sub(redis.call('HGET', key, 'history') or '', -#said) == said
-- A reply may quote whom it is about: of somebody who was forgotten meanwhile nothing is written down any more.
if not forgotten and not again then note(key, now, ARGV[6]) end
if ARGV[7] == '1' then redis.call('HSET', key, 'ambiguous', 1) end
if has[1] == 'unknown' then
  -- The lease ran out meanwhile. Only a certain answer is better than not knowing.
  if result == 'unknown' or ARGV[7] == '1' then return 'unknown' end
  reopen(prefix, id)
end
if result == 'retry' or result == 'not_sent' then
  local is = redis.call('HMGET', session, 'state', 'outreach')
  if is[1] ~= 'abandoned' or is[2] ~= id then
    return finish(prefix, id, 'cancelled', forgotten and 'forgotten' or is[1] == 'bought' and 'paid' or 'came_back', now)
  end
  if result == 'not_sent' then redis.call('HINCRBY', key, 'attempts', -1) end
  if redis.call('HGET', session, 'sending') == id then redis.call('HDEL', session, 'sending') end
  redis.call('HDEL', key, 'contacted_at', 'order')
  redis.call('PERSIST', session)
  give_back(prefix, id, now + ARGV[5], now, again and '' or outcome(result, reason))
  return 'waiting'
end
return finish(prefix, id, result, reason, now)
