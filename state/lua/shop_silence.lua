#!lua
-- Notes whether the whole shop has been silent for too long: that looks like broken tracking. When events come again,
-- silence is measured from then, as after a hole.
-- KEYS[1]  hash of the sweep
-- ARGV[1]  how long it may be silent (ms; 0: for ever); ARGV[2] arrival of the last event (ms)
-- Returns  {'' | 'silent', 1 when that is news}
-- include: clock, text
local sweep, most_ms, last_arrival = KEYS[1], ARGV[1], ARGV[2]
local now, held = clock(), redis.call('HGET', sweep, 'silent')
-- Later than now: the clock was put back since. Any event of now is news.
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
-- Not when the setting was changed meanwhile: somebody said that this silence is real.
-- guard shop_real: tonumber(last_arrival) > tonumber(held) => true
-- guard shop_reopened: redis.call('HSET', sweep, 'reopened', text(now)) => text(0)
if tonumber(last_arrival) > tonumber(held) then redis.call('HSET', sweep, 'reopened', text(now)) end
return {'', 1}
