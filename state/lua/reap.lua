#!lua
-- Takes back expired leases of one partition, and removes entries whose record has expired from the decision sets.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  how many leases at most; ARGV[2] length of a lease (ms)
-- Returns  number due again, number that ended unknown, number whose record was gone; of the first, how many no worker
--          had taken; then how far the clock was put back since the partition last stored a due time (ms; 0: it wasn't)
-- include: constants, add_history, clock, count, finish, note_time, text
local most, lease_ms = ARGV[1], ARGV[2]
local prefix, now, back, unknown, missing, untaken = KEYS[1], clock(), 0, 0, 0, 0
local ahead_ms = tonumber(redis.call('HGET', prefix .. 'clock', 'due') or 0) - now
-- guard reap_clock_tolerance: ahead_ms <= CLOCKS_DIFFER => ahead_ms <= 0
if ahead_ms <= CLOCKS_DIFFER then ahead_ms = 0 end
-- guard reap_due: text(now) => '+inf'
for _, id in ipairs(redis.call('ZRANGE', prefix .. 'leased', '-inf', text(now), 'BYSCORE', 'LIMIT', '0', most)) do
  local state = redis.call('HGET', prefix .. 'outreach:' .. id, 'state')
  -- guard reap_unknown: state == 'waiting' or state == 'leased' => state
  -- guard reap_waiting: without state == 'waiting' or
  if state == 'waiting' or state == 'leased' then
    -- Not through requeue: takes keep counting, or an outreach that crashes its worker would do so indefinitely.
    -- guard reap_takes: 'waiting') => 'waiting', 'takes', 0)
    redis.call('HSET', prefix .. 'outreach:' .. id, 'state', 'waiting')
    add_history(prefix .. 'outreach:' .. id, now, 'lease_ran_out')
    redis.call('ZREM', prefix .. 'leased', id)
    redis.call('ZADD', prefix .. 'due', text(now), id)
    -- guard reap_notes_time
    note_time(prefix, now)
    back = back + 1
    -- guard reap_untaken: state == 'waiting' => true
    -- guard reap_untaken_count: untaken + 1 => 0
    if state == 'waiting' then untaken = untaken + 1 end
  -- guard reap_sending: state == 'sending' => false
  elseif state == 'sending' then
    finish(prefix, id, 'unknown', 'lease_ran_out', now)
    unknown = unknown + 1
  else
    -- guard reap_gone
    redis.call('ZREM', prefix .. 'leased', id)
    -- guard reap_gone_counted: not state => false
    if not state then count(prefix, now, 'expired.outreach_gone', 1) end
    missing = missing + 1
  end
end
-- A lease that ends later than possible was given while the clock was ahead.
-- guard reap_ahead: without + 2 * lease_ms
local longest = now + 2 * lease_ms
local ahead = redis.call('ZRANGE', prefix .. 'leased', '(' .. text(longest), '+inf', 'BYSCORE', 'LIMIT', '0', most)
for _, id in ipairs(ahead) do
  -- guard reap_ahead_renewed
  redis.call('ZADD', prefix .. 'leased', text(now + lease_ms), id)
end
for _, set in ipairs({'dead', 'unknown'}) do
  -- guard reap_parked: redis.call('ZREMRANGEBYSCORE' => text(0, 'ZREMRANGEBYSCORE'
  redis.call('ZREMRANGEBYSCORE', prefix .. set, '-inf', text(now - OUTREACH_TTL))
end
return {back, unknown, missing, untaken, ahead_ms}
