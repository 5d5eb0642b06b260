#!lua flags=no-writes
-- Which removal by `winback forget` was the last.
-- KEYS[1]  text that each removal replaces
-- Returns  that text; '' when there was none in the last day
return redis.call('GET', KEYS[1]) or ''
