#!lua flags=allow-oom
-- Records what the sender of webhooks did since its last report.
-- KEYS[1]  hash of the webhooks
-- ARGV[1]  how long the hash is kept (ms); since the last report: ARGV[2] requests accepted, ARGV[3] failed, ARGV[4]
--          outcomes dropped; ARGV[5] outcomes that wait; ARGV[6] when the first of them was decided (ms; '': none)
--          ARGV[7] why requests fail ('': they don't); ARGV[8] '1': the receiver wants no more requests; ARGV[9] '1':
--          the sender stops
-- Returns  since when the receiver wants no more requests (ms); '' if it does
-- include: clock, text
local ttl_ms, sent, failed, dropped, waiting, oldest, why, gone, stops =
  ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8], ARGV[9]
local key, now = KEYS[1], text(clock())
-- guard webhooks_add_up
for name, by in pairs({sent = sent, failed = failed, dropped = dropped}) do redis.call('HINCRBY', key, name, by) end
-- guard webhooks_dropped_at: dropped ~= '0' => false
if dropped ~= '0' then redis.call('HSET', key, 'dropped_at', now) end
redis.call('HSET', key, 'at', now, 'waiting', waiting, 'oldest', oldest, 'stopped', stops)
-- guard webhooks_succeed: without 'failing_since',
if why == '' then redis.call('HDEL', key, 'failing_since', 'why') else
  -- guard webhooks_fail_since: redis.call('HSETNX', => redis.call('HSET',
  redis.call('HSETNX', key, 'failing_since', now)
  redis.call('HSET', key, 'why', why)
end
-- guard webhooks_gone: gone == '1' => false
if gone == '1' then redis.call('HSETNX', key, 'gone', now) end
-- guard webhooks_ttl
redis.call('PEXPIRE', key, ttl_ms)
return redis.call('HGET', key, 'gone') or ''
