#!lua
-- The last look before a request may start. From here on nobody cancels it; if its worker dies it ends unknown.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  outreach; ARGV[2] our claim; ARGV[3] length of the lease (ms); ARGV[4] exact body; ARGV[5] idempotency key
--          ARGV[6] the answers on which the contact rests, without personal data ('': none)
-- Returns  {'sending', attempt, server time} | {'cancelled'} they came back | {'busy'} another outreach of the session
--          is sending | {'lost'} not ours any more
-- include: _outreach
local prefix, id, now = KEYS[1], ARGV[1], clock()
local key = prefix .. 'outreach:' .. id
local has = redis.call('HMGET', key, 'state', 'claim', 'session')
if has[1] ~= 'leased' or has[2] ~= ARGV[2] then return {'lost'} end
local lease = redis.call('ZSCORE', prefix .. 'leased', id)
if not lease or tonumber(lease) <= now then return {'lost'} end
local session = prefix .. 'session:' .. has[3]
local is = redis.call('HMGET', session, 'state', 'outreach', 'sending')
if is[1] ~= 'abandoned' or is[2] ~= id then
  finish(prefix, id, 'cancelled', is[1] == 'bought' and 'paid' or 'came_back', now)
  return {'cancelled'}
end
if is[3] and is[3] ~= id and redis.call('HGET', prefix .. 'outreach:' .. is[3], 'state') == 'sending' then
  return {'busy'}
end
redis.call('HSET', session, 'sending', id)
redis.call('HSET', key, 'state', 'sending', 'body', ARGV[4], 'key', ARGV[5])
redis.call('HSETNX', key, 'first_sending', text(now))
if ARGV[6] ~= '' then redis.call('HSET', key, 'consent', ARGV[6]) end
local attempt = redis.call('HINCRBY', key, 'attempts', 1)
redis.call('ZADD', prefix .. 'leased', text(now + ARGV[3]), id)
return {'sending', attempt, text(now)}
