#!lua
-- Leases due outreaches of one partition, so that each can be dispatched to a worker.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  how many at most; ARGV[2] length of the lease (ms); ARGV[3] last id of each stream, stored with each
-- Returns  the ids of the leased outreaches
-- include: clock, count, text
local most, lease_ms, last_ids = ARGV[1], ARGV[2], ARGV[3]
local prefix, now, leased = KEYS[1], clock(), {}
-- guard lease_due_now: text(now) => '+inf'
local due = redis.call('ZRANGE', prefix .. 'due', '-inf', text(now), 'BYSCORE', 'LIMIT', '0', most, 'WITHSCORES')
for i = 1, #due, 2 do
  local id = due[i]
  -- guard lease_due_once
  redis.call('ZREM', prefix .. 'due', id)
  local key = prefix .. 'outreach:' .. id
  local state = redis.call('HGET', key, 'state')
  -- guard lease_due_waiting: without == 'waiting'
  if state == 'waiting' then
    redis.call('HSET', key, 'barrier', last_ids, 'due', text(tonumber(due[i + 1])))
    redis.call('ZADD', prefix .. 'leased', text(now + lease_ms), id)
    leased[#leased + 1] = id
  -- guard lease_due_gone: not state => false
  elseif not state then
    count(prefix, now, 'expired.outreach_gone', 1)
  end
end
return leased
