#!lua
-- Keeps a privacy request, once.
-- KEYS[1]  prefix of privacy requests
-- ARGV[1]  its id; ARGV[2] the set of its kind; ARGV[3] when it was received (ms); ARGV[4] after how long it runs (ms;
--          '': it doesn't run by itself); then field, value, ...
-- Returns  1 if it is new
-- include: clock, text
local request, kind, received, wait_ms = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local prefix = KEYS[1]
local key = prefix .. 'request:' .. request
-- guard request_once: redis.call('EXISTS', key, prefix .. 'done:' .. request) > 0 => false
if redis.call('EXISTS', key, prefix .. 'done:' .. request) > 0 then return 0 end
for i = 5, #ARGV, 2 do redis.call('HSET', key, ARGV[i], ARGV[i + 1]) end
-- A collector estimates the time. Its estimate can be ahead.
-- guard request_ahead: math.min(received, clock()) => received
received = text(math.min(received, clock()))
redis.call('HSET', key, 'received', received)
redis.call('ZADD', prefix .. 'open:' .. kind, received, request)
if wait_ms ~= '' then redis.call('ZADD', prefix .. 'due', text(clock() + wait_ms), request) end
return 1
