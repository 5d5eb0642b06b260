#!lua
-- Stamps a step of detection or sending with the server's time, and keeps what belongs to it.
-- KEYS[1]  prefix of the control keys
-- ARGV[1]  the step: `swept`, `dispatched`, `untaken`, `taken` or `decided`; then field, value, ... to be kept with it
-- Returns  nothing
-- include: _clock
local key, now = KEYS[1] .. 'progress', text(clock())
if ARGV[1] == 'decided' then
  redis.call('HDEL', key, 'undecided')
  return
end
redis.call('HSET', key, ARGV[1], now, unpack(ARGV, 2))
if ARGV[1] == 'taken' then redis.call('HSETNX', key, 'undecided', now) end
