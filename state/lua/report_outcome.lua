#!lua flags=allow-oom
-- Records the result of a request, which stops all sending, resumes it, or changes nothing.
-- KEYS[1]  prefix of the control keys
-- ARGV[1]  outreach; ARGV[2] works | failing | refused; ARGV[3] why; ARGV[4] failures in a row that stop it (0: no
--          limit)
--          ARGV[5] first pause (ms); ARGV[6] longest pause (ms); ARGV[7] pause that the reply asks for (ms; 0: none)
-- Returns  nothing
-- include: clock, note_control_time, text
local outreach, health, why, row, first_pause_ms, longest_pause_ms, asked_ms =
  ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local key, asked, now = KEYS[1] .. 'sending', tonumber(asked_ms), clock()
local stopped, probe, tries_before, failures_before =
  unpack(redis.call('HMGET', key, 'stopped', 'probe', 'tries', 'failures'))
-- guard outcome_probe: without if stopped and probe ~= outreach then return end
if stopped and probe ~= outreach then return end -- it began before sending was stopped, or its probe is over
if health == 'works' then
  -- guard outcome_success: without or failures_before
  if stopped or failures_before then
    -- guard outcome_tries: 'tries', 'failures' => 'failures'
    redis.call('HDEL', key, 'stopped', 'why', 'since', 'retry_at', 'probe', 'tries', 'failures')
  end
  return
end
-- guard outcome_not_stopped: without health == 'failing' and
if health == 'failing' and not stopped then
  -- guard outcome_breaker_off
  if row == '0' then return end
  local failures = redis.call('HINCRBY', key, 'failures', 1)
  -- guard outcome_in_a_row: < tonumber(row) => <= tonumber(row)
  -- guard outcome_several: failures < tonumber(row) => false
  -- guard outcome_asked_stops: without and asked <= 0
  if failures < tonumber(row) and asked <= 0 then return end
end
-- Refused keys are probed at a steady interval, failures at growing ones.
-- guard outcome_refused_pace: without health == 'refused' and 0 or
local tries = health == 'refused' and 0 or tonumber(tries_before or 0) + 1
local pause = first_pause_ms * 2 ^ math.min(math.max(tries - 1, 0), 30)
if health == 'failing' then
  -- The pause that the server asks for replaces the first pause, even if it is shorter.
  -- guard outcome_asked_pause: asked > 0 => false
  -- guard outcome_asked_grows: pause / first_pause_ms * math.min(asked, first_pause_ms) => 0
  -- guard outcome_asked_least: math.max(asked, pause => (pause
  -- guard outcome_asked_bound: math.min(asked, first_pause_ms) => asked
  if asked > 0 then pause = math.max(asked, pause / first_pause_ms * math.min(asked, first_pause_ms)) end
  -- guard outcome_longest
  pause = math.min(pause, tonumber(longest_pause_ms))
end
-- guard outcome_notes_time
note_control_time(KEYS[1], now)
redis.call('HSETNX', key, 'since', text(now))
local retry_at = text(now + pause)
-- guard outcome_no_probe: without 'probe', '',
redis.call('HSET', key, 'stopped', health, 'why', why, 'tries', text(tries), 'probe', '', 'retry_at', retry_at)
redis.call('HDEL', key, 'failures')
