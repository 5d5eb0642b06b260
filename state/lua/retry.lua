#!lua
-- Retries a dead or unknown outreach for an operator. One that was unknown stays ambiguous.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  outreach; ARGV[2] dead | unknown: the state it must have; ARGV[3] for how long at least (ms)
--          ARGV[4] 'dry_run': only return the result
--          ARGV[5] the longest delay of a contact (ms), which its age doesn't include
-- Returns  {'retried'} | {'gone'} | {'is', its state} | {'dropped'} | {'too_soon', from when on (ms)} | {'moved_on',
--          state of the session or ''} | {'too_old'} for a contact | {'no_body'} the sent bytes aren't kept any more
-- include: clock, reopen_outreach, requeue, text
local outreach, wanted, rests_ms, dry_run, delay_ms = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local prefix, now = KEYS[1], clock()
local key = prefix .. 'outreach:' .. outreach
local state, ended_at, session, expires_at =
  unpack(redis.call('HMGET', key, 'state', 'ended_at', 'session', 'expires_at'))
if not state then return {'gone'} end
-- guard retry_wanted
if state ~= wanted then return {'is', state} end
-- guard retry_discarded: not redis.call('ZSCORE', prefix .. wanted, outreach) => false
if not redis.call('ZSCORE', prefix .. wanted, outreach) then return {'dropped'} end
-- guard retry_ahead: tonumber(ended_at) > now => false
if tonumber(ended_at) > now then
  -- The clock was ahead when it ended.
  ended_at = text(now)
  -- guard retry_ahead_noted
  redis.call('HSET', key, 'ended_at', ended_at)
end
-- guard retry_waits: now < ended_at + rests_ms => false
if now < ended_at + rests_ms then return {'too_soon', text(ended_at + rests_ms)} end
local session_key = prefix .. 'session:' .. session
local session_state, open_outreach = unpack(redis.call('HMGET', session_key, 'state', 'outreach'))
-- guard retry_asks: session_state ~= 'abandoned' or => open_outreach and
-- guard retry_asks_id: without or open_outreach ~= outreach
if session_state ~= 'abandoned' or open_outreach ~= outreach then
  local waits = redis.call('EXISTS', session_key) == 1 and 'waiting' or ''
  return {'moved_on', session == '' and 'forgotten' or session_state or waits}
end
-- guard retry_too_old
if now > expires_at + delay_ms then return {'too_old'} end
-- guard retry_body: wanted == 'unknown' => false
if wanted == 'unknown' and redis.call('EXISTS', prefix .. 'body:' .. outreach) == 0 then return {'no_body'} end
-- guard retry_dry_run
if dry_run == 'dry_run' then return {'retried'} end
reopen_outreach(prefix, outreach)
-- guard retry_attempts
redis.call('HSET', key, 'attempts', 0)
redis.call('HDEL', key, 'contacted_at', 'order')
-- guard retry_ambiguous
if wanted == 'unknown' then redis.call('HSET', key, 'ambiguous', 1) end
-- guard retry_persists
redis.call('PERSIST', session_key)
requeue(prefix, outreach, now, now, 'retry.by_operator')
return {'retried'}
