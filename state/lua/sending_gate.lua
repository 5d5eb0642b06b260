#!lua
-- The last check for everything that blocks all sending, just before an attempt's fence; takes its daily slot.
-- KEYS[1]  prefix of the control keys
-- ARGV[1]  outreach; ARGV[2] our token; ARGV[3] contacts a day (0: no limit); ARGV[4] how long an attempt can take (ms)
--          ARGV[5] when the last event before the silence occurred (ms); ARGV[6] how this worker sends ('': not
--          compared)
-- Returns  {'go', day of its slot ('': none), 1 if a success must be recorded} | {'paused' | 'mixed' | 'orders_stopped'
--          | 'another_mode' | 'stopped' | 'full' | 'missed'}
-- include: constants, blocked_by, clock, daily_contacts, note_control_time, stops_all, text
local outreach, token, most_a_day, attempt_ms, silent_from, sending_mode =
  ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local prefix, now, day = KEYS[1], clock(), ''
local key = prefix .. 'sending'
local is, _, _, probe = blocked_by(prefix, now)
-- guard gate_held
if stops_all(is) then return {is} end
-- A worker that was started in another mode, or for another endpoint, than the deployment uses now.
-- guard gate_mode: sending_mode ~= '' => false
if sending_mode ~= '' and redis.call('HGET', key, 'sending_mode') ~= sending_mode then return {'another_mode'} end
-- Orders of that time might be missing: shoppers who fell silent then might have bought.
local gap = redis.call('ZRANGE', prefix .. 'gaps', silent_from, '+inf', 'BYSCORE', 'LIMIT', '0', '1')[1]
-- guard gate_missed
-- guard gate_missed_silence: without and tonumber(gap) < tonumber(silent_from)
if gap and tonumber(gap) < tonumber(silent_from) then return {'missed'} end
-- guard gate_stopped
-- guard gate_probe: ~= 'free' => == ''
if is and probe ~= 'free' then return {'stopped'} end
if most_a_day ~= '0' then
  day = text(math.floor(now / DAY))
  local slots = daily_contacts(prefix, day)
  local held, taken = redis.call('HGET', slots, outreach), redis.call('HLEN', slots)
  -- guard gate_full
  -- guard gate_full_held: without not held and
  if not held and taken >= tonumber(most_a_day) then return {'full'} end
  -- A later token of the same outreach keeps its slot: an earlier token must not return it during the request.
  -- guard gate_slot_newest: not held or tonumber(held) < tonumber(token) => true
  -- guard gate_slot_number: tonumber(held) < tonumber(token) => held < token
  if not held or tonumber(held) < tonumber(token) then redis.call('HSET', slots, outreach, token) end
  -- guard gate_slots_ttl: redis.call('PEXPIRE', slots, 2 * DAY) => text(0)
  if taken == 0 then redis.call('PEXPIRE', slots, 2 * DAY) end
end
-- guard gate_probe_taken: outreach, => 'free',
-- guard gate_probe_ends: without , 'retry_at', text(now + attempt_ms)
if is then redis.call('HSET', key, 'probe', outreach, 'retry_at', text(now + attempt_ms)) end
-- guard gate_notes_time
if is then note_control_time(prefix, now) end
-- guard gate_success_failures: (is or redis.call('HEXISTS', key, 'failures') == 1) => is
-- guard gate_success_stopped: (is or redis.call('HEXISTS', => (redis.call('HEXISTS',
return {'go', day, (is or redis.call('HEXISTS', key, 'failures') == 1) and 1 or 0}
