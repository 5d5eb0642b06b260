#!lua flags=allow-oom
-- An operator pauses sending, or lets it go on; in the latter case what has stopped by itself is tried at once.
-- KEYS[1]  prefix of the control keys
-- ARGV[1]  pause | resume; ARGV[2] reason; ARGV[3] for how long (ms; 0: until somebody resumes)
-- Returns  {1 when it was paused before, why it has stopped by itself ('' when it has not), until when it is paused (ms),
--          1 when it was held because no orders arrive}
-- include: _sending
local key, now = KEYS[1] .. 'sending', clock()
local was = held_back(KEYS[1], now) == 'paused' and 1 or 0
local orders = redis.call('HGET', flow_of(KEYS[1]), 'held') and 1 or 0
local stopped = redis.call('HMGET', key, 'stopped', 'probe', 'why')
redis.call('HDEL', key, 'paused', 'until', 'reason')
if ARGV[1] == 'resume' then
  -- Not while a probe is under way: there is one at a time.
  if stopped[1] and stopped[2] == '' then redis.call('HSET', key, 'retry_at', text(now)) end
  -- Whether orders arrive is asked again in an hour; who fell silent while none did may be contacted.
  if orders == 1 then redis.call('HSET', flow_of(KEYS[1]), 'released', text(now + 3600000)) end
  redis.call('DEL', gaps_of(KEYS[1]))
  return {was, stopped[3] or '', '0', orders}
end
redis.call('HSET', key, 'paused', text(now), 'reason', ARGV[2])
local ends = ARGV[3] ~= '0' and text(now + ARGV[3]) or '0'
if ends ~= '0' then redis.call('HSET', key, 'until', ends) end
return {was, stopped[3] or '', ends, orders}
