#!lua
-- Leases outreaches of one partition that are due, so that each can be handed to a worker.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  how many at most; ARGV[2] length of the lease (ms); ARGV[3] last id of each stream, noted with each
-- Returns  the ids of the leased outreaches
-- include: _outreach
local prefix, now, leased = KEYS[1], clock(), {}
local due = redis.call('ZRANGE', prefix .. 'due', '-inf', text(now), 'BYSCORE', 'LIMIT', '0', ARGV[1], 'WITHSCORES')
for i = 1, #due, 2 do
  local id = due[i]
  redis.call('ZREM', prefix .. 'due', id)
  local key = prefix .. 'outreach:' .. id
  local state = redis.call('HGET', key, 'state')
  if state == 'waiting' then
    redis.call('HSET', key, 'noted', ARGV[3], 'due', text(tonumber(due[i + 1])))
    redis.call('ZADD', prefix .. 'leased', text(now + ARGV[2]), id)
    leased[#leased + 1] = id
  elseif not state then
    count(prefix, now, 'expired.outreach_gone', 1)
  end
end
return leased
