#!lua
-- Records whether the whole shop has been silent for too long, which suggests broken tracking. When events resume,
-- silence is measured from then, as after a gap.
-- KEYS[1]  hash of the sweep
-- ARGV[1]  how long it can be silent (ms; 0: no limit); ARGV[2] arrival of the last event (ms)
-- Returns  {'' | 'silent', 1 if that changed}
-- include: clock, text
local sweep, most_ms, last_arrival = KEYS[1], ARGV[1], ARGV[2]
local now, held = clock(), redis.call('HGET', sweep, 'silent')
-- Later than now: the clock was put back since. Any event of now is newer.
-- guard shop_ahead: tonumber(held) > now then held = '0' => false then
if held and tonumber(held) > now then held = '0' end
-- guard shop_off: without most_ms ~= '0' and
-- guard shop_silent: now - last_arrival > tonumber(most_ms) => false
if most_ms ~= '0' and now - last_arrival > tonumber(most_ms) then
  redis.call('HSET', sweep, 'silent', last_arrival)
  -- guard shop_changed: without held and 0 or
  return {'silent', held and 0 or 1}
end
if not held then return {'', 0} end
-- guard shop_ends
redis.call('HDEL', sweep, 'silent')
-- Not if the setting was changed in the meantime: then the silence is real.
-- guard shop_real: tonumber(last_arrival) > tonumber(held) => true
-- guard shop_reopened: redis.call('HSET', sweep, 'reopened', text(now)) => text(0)
if tonumber(last_arrival) > tonumber(held) then redis.call('HSET', sweep, 'reopened', text(now)) end
return {'', 1}
