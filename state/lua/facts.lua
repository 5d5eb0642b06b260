#!lua flags=no-writes
-- What is known of a person.
-- KEYS[1]  prefix of the person
-- Returns  '1' when they bought ('' otherwise), '1' when they opted out, the reservation ('' for none), then the
--          sessions in which they were named, the latest last
local prefix = KEYS[1]
local has = redis.call('MGET', prefix .. 'bought', prefix .. 'reserved')
local opted_out = redis.call('EXISTS', prefix .. 'opted_out') == 1
local sessions = redis.call('ZRANGE', prefix .. 'sessions', '0', '-1')
return {has[1] and '1' or '', opted_out and '1' or '', has[2] or '', unpack(sessions)}
