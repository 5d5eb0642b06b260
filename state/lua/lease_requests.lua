#!lua
-- Leases the erasures that are due.
-- KEYS[1]  prefix of privacy requests
-- ARGV[1]  most of them; ARGV[2] how long a lease lasts (ms); ARGV[3] the latest that one can become due (ms from now)
-- Returns  their ids
-- include: clock, text
local most, lease_ms, longest_ms = ARGV[1], ARGV[2], ARGV[3]
local key, now = KEYS[1] .. 'due', clock()
-- Later ones are from before the clock was put back.
-- guard request_due_ahead: '(' .. text(now + longest_ms) => '+inf'
for _, request in ipairs(redis.call('ZRANGE', key, '(' .. text(now + longest_ms), '+inf', 'BYSCORE')) do
  redis.call('ZADD', key, text(now), request)
end
local leased = redis.call('ZRANGE', key, '-inf', text(now), 'BYSCORE', 'LIMIT', '0', most)
for _, request in ipairs(leased) do
  -- guard request_leased
  redis.call('ZADD', key, text(now + lease_ms), request)
end
return leased
