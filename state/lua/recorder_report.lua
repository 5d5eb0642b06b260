#!lua flags=allow-oom
-- Records what the recorder reports.
-- KEYS[1]  hash of the recorder
-- ARGV[1]  how long the hash is kept (ms); ARGV[2] entries written; ARGV[3] entries lost, of all recorders; ARGV[4] why
--          it doesn't write ('': it does); ARGV[5] bytes of all its files; ARGV[6] '1': it stops
-- Returns  when entries were last lost (ms); '' if none were
-- include: clock, text
local ttl_ms, written, lost, why, bytes, stops = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local key, now = KEYS[1], text(clock())
-- Without an earlier report, the time of the losses isn't known.
local before = tonumber(redis.call('HGET', key, 'lost') or lost)
-- guard report_lost_at: tonumber(lost) > before => false
-- guard report_lost_first: before => 0
if tonumber(lost) > before then redis.call('HSET', key, 'lost_at', now) end
-- guard report_adds_up
redis.call('HINCRBY', key, 'written', written)
redis.call('HSET', key, 'at', now, 'lost', lost, 'why', why, 'bytes', bytes, 'stopped', stops)
-- guard report_ttl
redis.call('PEXPIRE', key, ttl_ms)
return redis.call('HGET', key, 'lost_at') or ''
