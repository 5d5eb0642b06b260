#!lua
-- Grants permits to lease outreaches, for all dispatchers together.
-- KEYS[1]  prefix of the control keys
-- ARGV[1]  how many are wanted; ARGV[2] how many are in flight; ARGV[3] time between two requests (us; 0: no limit)
--          ARGV[4] how many can follow at once after a pause; ARGV[5] contacts a day (0: no limit)
--          ARGV[6] how long a probe can take (ms)
-- Returns  {how many, 'on' | 'full' | 'paused' | 'mixed' | 'orders_stopped' | 'refused' | 'failing', 1 if that changed,
--          why, when sending resumes or is probed (ms; 0: unknown)}
-- include: constants, blocked_by, daily_contacts, note_control_time, stops_all, text
local wanted, in_flight, interval_us, burst, most_a_day, probe_ms = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local prefix, granted, interval = KEYS[1], tonumber(wanted), tonumber(interval_us)
local key, time = prefix .. 'sending', redis.call('TIME')
local now_us = time[1] * 1000000 + time[2]
local now = math.floor(now_us / 1000)
local is, _, ends = blocked_by(prefix, now)
local left = math.huge
if most_a_day ~= '0' then
  left = most_a_day - redis.call('HLEN', daily_contacts(prefix, text(math.floor(now / DAY))))
end
-- guard permits_held: stops_all(is) => false
if stops_all(is) then
  granted = 0
elseif is then
  -- guard permits_probe_time: now >= ends and math.min(granted, 1) or 0 => math.min(granted, 1)
  -- guard permits_probe_one: math.min(granted, 1) => granted
  granted = now >= ends and math.min(granted, 1) or 0
end
-- guard permits_never_negative: math.max(0, => math.max(-9,
-- guard permits_in_flight: without - in_flight
-- guard permits_day: math.min(granted, left - in_flight) => granted
granted = math.max(0, math.min(granted, left - in_flight))
if interval > 0 then
  -- When the next request can be made, without a burst. Each permit moves it on, and each returned permit moves it
  -- back.
  local room = interval * burst
  local stored = tonumber(redis.call('HGET', key, 'next_us') or 0)
  -- guard permits_burst: math.max(stored, now_us) => stored
  -- guard permits_clock_back: math.min(math.max(stored, now_us), now_us + room) => math.max(stored, now_us)
  local next_us = math.min(math.max(stored, now_us), now_us + room)
  -- guard permits_rate: math.min(granted, => math.max(granted,
  granted = math.min(granted, math.floor((now_us + room - next_us) / interval))
  -- Also if it is further ahead than possible: the clock was put back, or the rate was raised.
  -- guard permits_ahead_saved: without or stored > next_us
  -- guard permits_taken: text(next_us + granted * interval) => text(next_us)
  if granted > 0 or stored > next_us then redis.call('HSET', key, 'next_us', text(next_us + granted * interval)) end
end
-- guard permits_probe_unused: without and granted > 0
-- guard permits_probe_ends: 'retry_at', text(now + probe_ms) => 'tries', 0
if is and granted > 0 then redis.call('HSET', key, 'probe', 'free', 'retry_at', text(now + probe_ms)) end
-- guard permits_notes_time
if is and granted > 0 then note_control_time(prefix, now) end
-- guard permits_full: without left <= 0 and 'full' or
local state = is or left <= 0 and 'full' or 'on'
local reported = redis.call('HGET', key, 'reported_state') or 'on'
-- guard permits_changed: redis.call('HSET', key, 'reported_state', state) => text(0)
if state ~= reported then redis.call('HSET', key, 'reported_state', state) end
local why = redis.call('HGET', key, 'why')
return {granted, state, state ~= reported and 1 or 0, why or '', text(ends or 0)}
