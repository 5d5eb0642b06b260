#!lua
-- The last look at what holds back all sending, just before an attempt's fence; takes its place among the day's contacts.
-- KEYS[1]  prefix of the control keys
-- ARGV[1]  outreach; ARGV[2] our claim; ARGV[3] contacts a day (0: no limit); ARGV[4] how long an attempt may take (ms)
--          ARGV[5] when the last event before the silence occurred (ms); ARGV[6] how this worker sends ('': not compared)
-- Returns  {'go', day of its place ('': none), 1 when a success is to be recorded} | {'paused' | 'mixed' | 'orders_stopped' | 'another_mode' | 'stopped' | 'full' |
--          'missed'}
-- include: _sending
local prefix, id, now, day = KEYS[1], ARGV[1], clock(), ''
local key = prefix .. 'sending'
local is, _, _, probe = held_back(prefix, now)
if HELD[is] then return {is} end
-- A worker that was started in another mode, or for another endpoint, than the deployment is in now.
if ARGV[6] ~= '' and redis.call('HGET', key, 'how') ~= ARGV[6] then return {'another_mode'} end
-- Orders of that time may be missing: who fell silent then may have bought.
local gap = redis.call('ZRANGE', gaps_of(prefix), ARGV[5], '+inf', 'BYSCORE', 'LIMIT', '0', '1')[1]
if gap and tonumber(gap) < tonumber(ARGV[5]) then return {'missed'} end
if is and probe ~= 'free' then return {'stopped'} end
if ARGV[3] ~= '0' then
  day = text(math.floor(now / DAY))
  local places = contacts(prefix, day)
  local held, taken = redis.call('HGET', places, id), redis.call('HLEN', places)
  if not held and taken >= tonumber(ARGV[3]) then return {'full'} end
  -- A later claim of the same outreach keeps its place: an earlier one must not take it back from under its request.
  if not held or tonumber(held) < tonumber(ARGV[2]) then redis.call('HSET', places, id, ARGV[2]) end
  if taken == 0 then redis.call('PEXPIRE', places, 2 * DAY) end
end
if is then redis.call('HSET', key, 'probe', id, 'retry_at', text(now + ARGV[4])) end
return {'go', day, (is or redis.call('HEXISTS', key, 'failures') == 1) and 1 or 0}
