#!lua flags=allow-oom
-- Says whether the clock was put back: the latest time that a dispatch has seen lies in the future.
-- KEYS[1]  prefix of the control keys
-- ARGV[1]  by how much clocks may differ (ms)
-- Returns  by how much it was put back (ms; 0: it was not)
-- include: clock, text
local differ_ms = ARGV[1]
local key, now = KEYS[1] .. 'sending', clock()
local seen = tonumber(redis.call('HGET', key, 'clock') or 0)
-- guard clock_step
if seen > now + differ_ms then return seen - now end
-- guard clock_latest: now > seen => true
if now > seen then redis.call('HSET', key, 'clock', text(now)) end
return 0
