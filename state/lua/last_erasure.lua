#!lua flags=no-writes
-- Returns the id of the last erasure by `winback forget`.
-- KEYS[1]  prefix of the control keys
-- Returns  a text that each erasure replaces; '' if there was none in the last day
return redis.call('GET', KEYS[1] .. 'last_erasure') or ''
