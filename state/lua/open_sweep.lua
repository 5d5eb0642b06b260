#!lua
-- A sweep says that events can be taken. After a hole in that, silence is measured from the reopening only.
-- KEYS[1]  hash of the sweep
-- ARGV[1]  how long a pause is a hole (ms)
-- Returns  when events could be taken again after the last hole (ms; '0': never a hole)
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
local has = redis.call('HMGET', KEYS[1], 'last', 'reopened')
local gap = has[1] and now - has[1] or 0
-- A clock that was put back by more than that may hide a hole: a server that took over may be behind the one before it.
if math.abs(gap) > tonumber(ARGV[1]) or now - (has[2] or 0) < 0 then redis.call('HSET', KEYS[1], 'reopened', now) end
redis.call('HSET', KEYS[1], 'last', now)
return redis.call('HGET', KEYS[1], 'reopened') or '0'
