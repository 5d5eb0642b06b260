#!lua
-- Takes back leases of one partition that have run out, and forgets what waited for a decision longer than its record.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  how many leases at most; ARGV[2] length of a lease (ms)
-- Returns  number given back as due, number that ended unknown, number whose record was gone; of the first, how many
--          no worker had taken
-- include: _outreach
local prefix, now, back, unknown, gone, untaken = KEYS[1], clock(), 0, 0, 0, 0
for _, id in ipairs(redis.call('ZRANGE', prefix .. 'leased', '-inf', text(now), 'BYSCORE', 'LIMIT', '0', ARGV[1])) do
  local state = redis.call('HGET', prefix .. 'outreach:' .. id, 'state')
  if state == 'waiting' or state == 'leased' then
    -- Not through give_back: takes go on counting, or an outreach that kills its worker would do so for ever.
    redis.call('HSET', prefix .. 'outreach:' .. id, 'state', 'waiting')
    note(prefix .. 'outreach:' .. id, now, 'lease_ran_out')
    redis.call('ZREM', prefix .. 'leased', id)
    redis.call('ZADD', prefix .. 'due', text(now), id)
    back = back + 1
    if state == 'waiting' then untaken = untaken + 1 end
  elseif state == 'sending' then
    finish(prefix, id, 'unknown', 'lease_ran_out', now)
    unknown = unknown + 1
  else
    redis.call('ZREM', prefix .. 'leased', id)
    if not state then count(prefix, now, 'expired.outreach_gone', 1) end
    gone = gone + 1
  end
end
-- One that ends later than any can was given while the clock was ahead.
local longest = now + 2 * ARGV[2]
for _, id in ipairs(redis.call('ZRANGE', prefix .. 'leased', '(' .. text(longest), '+inf', 'BYSCORE', 'LIMIT', '0', ARGV[1])) do
  redis.call('ZADD', prefix .. 'leased', text(now + ARGV[2]), id)
end
for _, set in ipairs({'dead', 'unknown'}) do
  redis.call('ZREMRANGEBYSCORE', prefix .. set, '-inf', text(now - OUTREACH_TTL))
end
return {back, unknown, gone, untaken}
