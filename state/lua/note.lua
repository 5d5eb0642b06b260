#!lua
-- Records that a person was named in a session, and with another identity.
-- KEYS[1]  prefix of the person
-- ARGV[1]  session; ARGV[2] how long it is kept (ms); ARGV[3] how many sessions at most, the latest stay; ARGV[4] time
--          (ms)
--          ARGV[5] the other identity ('': none); ARGV[6] how long the link is kept (ms); ARGV[7] how many links at
--          most, the latest stay; ARGV[8] number of links that make it shared
-- Returns  'shared' if its marks aren't passed on, 'erased' if the person was erased since, '' otherwise; then its
--          direct marks as mark.lua takes them, for the other identity
-- include: call, clock, direct_marks, is_erased, is_shared, text
local session, session_ms, most_sessions, named_at, other, link_ms, most_links, shared_from =
  ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8]
local prefix = KEYS[1]
-- guard name_barred
if is_erased(prefix, named_at) then return {'erased'} end
local sessions, links = prefix .. 'sessions', prefix .. 'links'
local added = call('ZADD', sessions, 'GT', named_at, session)
-- guard name_sessions_most: text(-1 - most_sessions) => text(-most_sessions)
-- guard name_sessions_least: text(-1 => text(-2
if added == 1 then call('ZREMRANGEBYRANK', sessions, '0', text(-1 - most_sessions)) end
call('PEXPIRE', sessions, session_ms)
if other == '' then return {''} end
-- guard name_links_old
call('ZREMRANGEBYSCORE', links, '-inf', text(clock() - link_ms))
local new = call('ZADD', links, 'GT', named_at, other)
-- guard name_links_most: text(-1 - most_links) => text(-most_links)
-- guard name_links_least: text(-1 => text(-2
if new == 1 then call('ZREMRANGEBYRANK', links, '0', text(-1 - most_links)) end
call('PEXPIRE', links, link_ms)
-- guard name_shared: is_shared(prefix, shared_from) => false
if is_shared(prefix, shared_from) then return {'shared'} end
-- guard links_late: {'', unpack(direct_marks(prefix))} => {''}
return {'', unpack(direct_marks(prefix))}
