#!lua flags=allow-oom
-- Pauses or resumes sending for an operator. Resuming also probes at once if sending stopped automatically.
-- KEYS[1]  prefix of the control keys
-- ARGV[1]  pause | resume; ARGV[2] reason; ARGV[3] for how long (ms; 0: until an operator resumes it)
-- Returns  {1 if it was paused before, why it has stopped automatically ('' if it hasn't), until when it is paused
--          (ms), 1 if it was held because no orders arrive}
-- include: constants, blocked_by, clock, note_control_time, text
local prefix, wish, reason, pause_ms = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local key, now = prefix .. 'sending', clock()
-- guard pause_notes_time
note_control_time(prefix, now)
local was = blocked_by(prefix, now) == 'paused' and 1 or 0
local orders = redis.call('HGET', prefix .. 'orders', 'held') and 1 or 0
local stopped_by, probe, why = unpack(redis.call('HMGET', key, 'stopped', 'probe', 'why'))
-- guard pause_replaced
-- guard pause_replaced_until: without 'until',
redis.call('HDEL', key, 'paused', 'until', 'reason')
if wish == 'resume' then
  -- Not while a probe is in flight: there is one at a time.
  -- guard resume_probe: without and probe == ''
  -- guard resume_retries: redis.call('HSET', key, 'retry_at', text(now)) => text(0)
  if stopped_by and probe == '' then redis.call('HSET', key, 'retry_at', text(now)) end
  -- Orders are checked again in an hour. Until then, shoppers who fell silent without orders can be contacted.
  if orders == 1 then redis.call('HSET', prefix .. 'orders', 'released', text(now + HOUR)) end
  -- guard resume_gaps
  redis.call('DEL', prefix .. 'gaps')
  return {was, why or '', '0', orders}
end
redis.call('HSET', key, 'paused', text(now), 'reason', reason)
local ends = pause_ms ~= '0' and text(now + pause_ms) or '0'
-- guard pause_until: redis.call('HSET', key, 'until', ends) => text(0)
if ends ~= '0' then redis.call('HSET', key, 'until', ends) end
return {was, why or '', ends, orders}
