#!lua
-- Says how many outreaches may be leased now, by all dispatchers together, and takes their permits.
-- KEYS[1]  prefix of the control keys
-- ARGV[1]  how many are wanted; ARGV[2] how many are in hand; ARGV[3] time between two requests (us; 0: no limit)
--          ARGV[4] how many may follow at once on a time without any; ARGV[5] contacts a day (0: no limit)
--          ARGV[6] how long a probe may take (ms)
-- Returns  {how many, 'on' | 'full' | 'paused' | 'mixed' | 'orders_stopped' | 'refused' | 'failing', 1 when that is news, why, when it goes on or is
--          tried again (ms; 0: open)}
-- include: _sending
local prefix, granted, interval = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[3])
local key, time = prefix .. 'sending', redis.call('TIME')
local now_us = time[1] * 1000000 + time[2]
local now = math.floor(now_us / 1000)
local is, _, ends = held_back(prefix, now)
local left = math.huge
if ARGV[5] ~= '0' then left = ARGV[5] - redis.call('HLEN', contacts(prefix, text(math.floor(now / DAY)))) end
if HELD[is] then
  granted = 0
elseif is then
  granted = now >= ends and math.min(granted, 1) or 0
end
granted = math.max(0, math.min(granted, left - ARGV[2]))
if interval > 0 then
  -- When the next request may be made, were there no burst. It moves on by each permit, and back by each that is returned.
  local room = interval * ARGV[4]
  local stored = tonumber(redis.call('HGET', key, 'next_us') or 0)
  local next_us = math.min(math.max(stored, now_us), now_us + room)
  granted = math.min(granted, math.floor((now_us + room - next_us) / interval))
  -- Also when it lies further ahead than it can: the clock was put back, or the rate raised.
  if granted > 0 or stored > next_us then redis.call('HSET', key, 'next_us', text(next_us + granted * interval)) end
end
if is and granted > 0 then redis.call('HSET', key, 'probe', 'free', 'retry_at', text(now + ARGV[6])) end
local state = is or left <= 0 and 'full' or 'on'
local said = redis.call('HGET', key, 'said') or 'on'
if state ~= said then redis.call('HSET', key, 'said', state) end
local why = redis.call('HGET', key, 'why')
return {granted, state, state ~= said and 1 or 0, why or '', text(ends or 0)}
