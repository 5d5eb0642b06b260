#!lua
-- A sweep says that events can be taken. After a hole in that, silence is measured from the reopening only.
-- KEYS[1]  hash of the sweep
-- ARGV[1]  how long a pause is a hole (ms)
-- Returns  when events could be taken again after the last hole (ms; '0': never a hole)
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
local last = redis.call('HGET', KEYS[1], 'last')
if last and now - last > tonumber(ARGV[1]) then redis.call('HSET', KEYS[1], 'reopened', now) end
redis.call('HSET', KEYS[1], 'last', now)
return redis.call('HGET', KEYS[1], 'reopened') or '0'
