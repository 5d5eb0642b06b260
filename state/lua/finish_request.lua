#!lua
-- Removes a privacy request that is done. For a while, a repeat of it is no new request.
-- KEYS[1]  prefix of privacy requests
-- ARGV[1]  its id; ARGV[2] for how long it is remembered (ms)
-- Returns  1 if it was open
local request, remembered_ms = ARGV[1], ARGV[2]
local prefix = KEYS[1]
local found = redis.call('DEL', prefix .. 'request:' .. request)
for _, set in ipairs({'open:erasures', 'open:shops', 'open:data', 'open:failed', 'due'}) do
  redis.call('ZREM', prefix .. set, request)
end
-- guard request_remembered: found == 1 => false
if found == 1 then redis.call('SET', prefix .. 'done:' .. request, '', 'PX', remembered_ms) end
return found
