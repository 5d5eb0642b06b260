#!lua flags=allow-oom
-- Records the result of an attempt. Needs its token; also after the lease has expired and it counts as unknown.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  outreach; ARGV[2] our token; ARGV[3] result: sent | dead | suppressed | unknown | retry | not_sent
--          ARGV[4] reason; ARGV[5] delay before it is due again (ms); ARGV[6] line for the history; ARGV[7] '1':
--          ambiguous
-- Returns  its current state, or nil if another worker has it
-- include: add_history, clock, finish, outcome, reopen_outreach, requeue
local outreach, token, result, reason, delay_ms, line, is_ambiguous =
  ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local prefix, now = KEYS[1], clock()
local key = prefix .. 'outreach:' .. outreach
local state, current_token, session = unpack(redis.call('HMGET', key, 'state', 'token', 'session'))
-- guard settle_open: without (state ~= 'sending' and state ~= 'unknown') or
-- guard settle_unknown: without and state ~= 'unknown'
-- guard settle_ours: without or current_token ~= token
if (state ~= 'sending' and state ~= 'unknown') or current_token ~= token then return false end
local session_key, forgotten = prefix .. 'session:' .. session, session == ''
-- Collapse identical failures in a row into one history line.
local said = ' ' .. outcome(result, reason) .. '\n'
local again = result == 'not_sent' and string.sub(redis.call('HGET', key, 'history') or '', -#said) == said
-- A reply can quote personal data: nothing of it is recorded for a person erased in the meantime.
-- guard settle_forgotten: without forgotten and not
if not forgotten and not again then add_history(key, now, line) end
-- guard settle_ambiguous
if is_ambiguous == '1' then redis.call('HSET', key, 'ambiguous', 1) end
if state == 'unknown' then
  -- The lease expired in the meantime. Only a certain result replaces unknown.
  -- guard settle_certain
  -- guard settle_certain_unknown: result == 'unknown' or => result ~= 'unknown' and
  if result == 'unknown' or is_ambiguous == '1' then return 'unknown' end
  reopen_outreach(prefix, outreach)
end
if result == 'retry' or result == 'not_sent' then
  local session_state, open_outreach = unpack(redis.call('HMGET', session_key, 'state', 'outreach'))
  -- guard settle_asks: session_state ~= 'abandoned' or open_outreach ~= outreach => false
  -- guard settle_asks_id: without or open_outreach ~= outreach
  if session_state ~= 'abandoned' or open_outreach ~= outreach then
    -- guard settle_asks_forgotten: without forgotten and 'forgotten' or
    local why = forgotten and 'forgotten' or session_state == 'bought' and 'paid' or 'came_back'
    return finish(prefix, outreach, 'cancelled', why, now)
  end
  -- guard settle_not_sent
  if result == 'not_sent' then redis.call('HINCRBY', key, 'attempts', -1) end
  -- guard settle_frees
  if redis.call('HGET', session_key, 'sending') == outreach then redis.call('HDEL', session_key, 'sending') end
  -- guard settle_measures
  redis.call('HDEL', key, 'contacted_at', 'order')
  -- guard settle_persists
  redis.call('PERSIST', session_key)
  requeue(prefix, outreach, now + delay_ms, now, again and '' or outcome(result, reason))
  return 'waiting'
end
return finish(prefix, outreach, result, reason, now)
