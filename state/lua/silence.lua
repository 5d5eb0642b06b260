#!lua
-- Notes whether the whole shop has been silent for too long: that looks like broken tracking. When events come again,
-- silence is measured from then, as after a hole.
-- KEYS[1]  hash of the sweep
-- ARGV[1]  how long it may be silent (ms; 0: for ever); ARGV[2] arrival of the last event (ms)
-- Returns  {'' | 'silent', 1 when that is news}
-- include: _clock
local now, held = clock(), redis.call('HGET', KEYS[1], 'silent')
-- Later than now: the clock was put back since. Any event of now is news.
if held and tonumber(held) > now then held = '0' end
if ARGV[1] ~= '0' and now - ARGV[2] > tonumber(ARGV[1]) then
  redis.call('HSET', KEYS[1], 'silent', ARGV[2])
  return {'silent', held and 0 or 1}
end
if not held then return {'', 0} end
redis.call('HDEL', KEYS[1], 'silent')
-- Not when the setting was changed meanwhile: somebody said that this silence is real.
if tonumber(ARGV[2]) > tonumber(held) then redis.call('HSET', KEYS[1], 'reopened', text(now)) end
return {'', 1}
