#!lua
-- The last check before a request. After it, nothing cancels the outreach; if its worker crashes, it ends as unknown.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  outreach; ARGV[2] our token; ARGV[3] length of the lease (ms); ARGV[4] exact body; ARGV[5] idempotency key
--          ARGV[6] the answers on which the contact rests, without personal data ('': none)
-- Returns  {'sending', attempt, server time} | {'cancelled'} the shopper came back | {'busy'} another outreach of the
--          session is sending | {'lost'} another worker has it
-- include: clock, finish, text
local outreach, token, lease_ms, request_body, idempotency_key, consent =
  ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local prefix, now = KEYS[1], clock()
local key = prefix .. 'outreach:' .. outreach
local state, current_token, session = unpack(redis.call('HMGET', key, 'state', 'token', 'session'))
-- guard fence_leased: without state ~= 'leased' or
-- guard fence_ours: without or current_token ~= token
if state ~= 'leased' or current_token ~= token then return {'lost'} end
local lease = redis.call('ZSCORE', prefix .. 'leased', outreach)
-- guard fence_lease: without or tonumber(lease) <= now
-- guard fence_has_lease: not lease or => lease and
if not lease or tonumber(lease) <= now then return {'lost'} end
local session_key = prefix .. 'session:' .. session
local session_state, open_outreach, sending = unpack(redis.call('HMGET', session_key, 'state', 'outreach', 'sending'))
-- guard fence_session_gone: session_state ~= 'abandoned' or => open_outreach and
-- guard fence_session: without session_state ~= 'abandoned' or
-- guard fence_id: without or open_outreach ~= outreach
if session_state ~= 'abandoned' or open_outreach ~= outreach then
  finish(prefix, outreach, 'cancelled', session_state == 'bought' and 'paid' or 'came_back', now)
  return {'cancelled'}
end
-- guard fence_busy: sending and sending ~= outreach => false
-- guard fence_busy_gone: redis.call('HGET', prefix .. 'outreach:' .. sending, 'state') == 'sending' => true
if sending and sending ~= outreach and redis.call('HGET', prefix .. 'outreach:' .. sending, 'state') == 'sending' then
  return {'busy'}
end
-- guard fence_busy_noted
redis.call('HSET', session_key, 'sending', outreach)
redis.call('HSET', key, 'state', 'sending', 'body', request_body, 'key', idempotency_key)
redis.call('HSETNX', key, 'first_sending', text(now))
if consent ~= '' then redis.call('HSET', key, 'consent', consent) end
-- guard fence_attempts: redis.call('HINCRBY', key, 'attempts', 1) => 1
local attempt = redis.call('HINCRBY', key, 'attempts', 1)
-- guard fence_renews
redis.call('ZADD', prefix .. 'leased', text(now + lease_ms), outreach)
return {'sending', attempt, text(now)}
