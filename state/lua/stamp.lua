#!lua
-- Stamps a step of detection or sending with the server's time, and stores its fields.
-- KEYS[1]  prefix of the control keys
-- ARGV[1]  the step: `swept`, `dispatched`, `untaken`, `taken` or `decided`; then field, value, ... to store with it
-- Returns  nothing
-- include: clock, text
local step = ARGV[1]
local key, now = KEYS[1] .. 'progress', text(clock())
if step == 'decided' then
  -- guard stamp_decided
  redis.call('HDEL', key, 'undecided')
  return
end
redis.call('HSET', key, step, now, unpack(ARGV, 2))
-- guard stamp_undecided
-- guard stamp_first: 'HSETNX', => 'HSET',
if step == 'taken' then redis.call('HSETNX', key, 'undecided', now) end
