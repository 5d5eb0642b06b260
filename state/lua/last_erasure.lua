#!lua flags=no-writes
-- Which removal by `winback forget` was the last.
-- KEYS[1]  prefix of the control keys
-- Returns  a text that each removal replaces; '' when there was none in the last day
return redis.call('GET', KEYS[1] .. 'last_erasure') or ''
