#!lua
-- Reserves a person for one attempt: the person's side of the fence. Whom it may reach is remembered with it.
-- KEYS[1]  prefix of the person
-- ARGV[1]  outreach; ARGV[2] our claim; ARGV[3] how long it is remembered (ms): the longest cap and a lease;
--          ARGV[4] a lease (ms); ARGV[5] how long another one excludes this (ms): its cap and a lease
--          ARGV[6] what its cart is worth ('': not known); ARGV[7] how long the contact is remembered (ms)
--          ARGV[8] when it was taken (ms)
-- Returns  reserved | bought | opted_out | lost (ours, by a later claim) | held (by another, which may still end
--          without contact) | capped (by another, for longer than that)
-- include: _remember
local prefix, time = KEYS[1], redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if redis.call('EXISTS', prefix .. 'opted_out') == 1 then return 'opted_out' end
if redis.call('EXISTS', prefix .. 'bought') == 1 then return 'bought' end
local held = redis.call('GET', prefix .. 'reserved')
if held then
  local outreach, claim, at = string.match(held, '^(.-):(%d+):(%d+)$')
  if outreach ~= ARGV[1] then
    if now - at < tonumber(ARGV[4]) then return 'held' end
    if now - at < tonumber(ARGV[5]) then return 'capped' end
  elseif tonumber(claim) > tonumber(ARGV[2]) then return 'lost' end
end
redis.call('SET', prefix .. 'reserved', ARGV[1] .. ':' .. ARGV[2] .. ':' .. string.format('%.0f', now), 'PX', ARGV[3])
remember(prefix, ARGV[1], now, ARGV[6], ARGV[7], ARGV[8])
return 'reserved'
