#!lua
-- A person has an outreach that is dead or unknown tried again. One that was unknown stays ambiguous.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  outreach; ARGV[2] dead | unknown: what it has to be; ARGV[3] for how long it has to be so (ms)
--          ARGV[4] 'look': only say what would come of it
-- Returns  {'retried'} | {'gone'} | {'is', its state} | {'dropped'} | {'too_soon', from when on (ms)} | {'moved_on', state of
--          the session or ''} | {'too_old'} for a contact | {'no_body'} the bytes that were sent are not kept any more
-- include: _outreach
-- include: _reopen
local prefix, id, wanted, now = KEYS[1], ARGV[1], ARGV[2], clock()
local key = prefix .. 'outreach:' .. id
local has = redis.call('HMGET', key, 'state', 'ended_at', 'session', 'expires_at')
if not has[1] then return {'gone'} end
if has[1] ~= wanted then return {'is', has[1]} end
if not redis.call('ZSCORE', prefix .. wanted, id) then return {'dropped'} end
if tonumber(has[2]) > now then
  -- The clock was ahead when it ended.
  has[2] = text(now)
  redis.call('HSET', key, 'ended_at', has[2])
end
if now < has[2] + ARGV[3] then return {'too_soon', text(has[2] + ARGV[3])} end
local session = prefix .. 'session:' .. has[3]
local is = redis.call('HMGET', session, 'state', 'outreach')
if is[1] ~= 'abandoned' or is[2] ~= id then
  return {'moved_on', has[3] == '' and 'forgotten' or is[1] or redis.call('EXISTS', session) == 1 and 'waiting' or ''}
end
if now > tonumber(has[4]) then return {'too_old'} end
if wanted == 'unknown' and redis.call('EXISTS', prefix .. 'body:' .. id) == 0 then return {'no_body'} end
if ARGV[4] == 'look' then return {'retried'} end
reopen(prefix, id)
redis.call('HSET', key, 'attempts', 0)
redis.call('HDEL', key, 'contacted_at', 'order')
if wanted == 'unknown' then redis.call('HSET', key, 'ambiguous', 1) end
redis.call('PERSIST', session)
give_back(prefix, id, now, now, 'retry.by_operator')
return {'retried'}
