#!lua
-- Remembers that an outreach is about to reach a person, so that their orders lead to it; forgets those of long ago.
-- KEYS[1]  prefix of the person
-- ARGV[1]  outreach; ARGV[2] what its cart is worth ('': not known); ARGV[3] how long it is remembered (ms)
--          ARGV[4] when the outreach was taken (ms)
-- Returns  nothing
-- include: _barred
if is_barred(KEYS[1], ARGV[4]) then return end
local key, time = KEYS[1] .. 'contacts', redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local held = redis.call('HGETALL', key)
for i = 1, #held, 2 do
  if now - string.match(held[i + 1], '^%d+') > tonumber(ARGV[3]) then redis.call('HDEL', key, held[i]) end
end
redis.call('HSET', key, ARGV[1], string.format('%.0f', now) .. ' ' .. ARGV[2])
redis.call('PEXPIRE', key, ARGV[3])
