#!lua flags=no-writes
-- Which removal by `winback forget` was the last.
-- KEYS[1]  prefix of the control keys
-- Returns  that text; '' when there was none in the last day
return redis.call('GET', KEYS[1] .. 'forgets') or ''
