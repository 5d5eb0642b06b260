#!lua
-- Remembers that a person was named in a session, and together with another identity.
-- KEYS[1]  prefix of the person
-- ARGV[1]  session; ARGV[2] for how long (ms); ARGV[3] how many sessions at most, the latest stay; ARGV[4] when (ms)
--          ARGV[5] the other identity ('': none); ARGV[6] for how long the two count as seen together (ms); ARGV[7] links
--          kept at most, the latest; ARGV[8] links from which on the identity is shared
-- Returns  'shared' when its marks are not passed on, 'barred' when the person was forgotten since, '' else; then its direct marks as mark.lua takes them, for the other
--          identity
-- include: _person
local prefix, at, other = KEYS[1], ARGV[4], ARGV[5]
if is_barred(prefix, at) then return {'barred'} end
local sessions, links = prefix .. 'sessions', prefix .. 'links'
if call('ZADD', sessions, 'GT', at, ARGV[1]) == 1 then call('ZREMRANGEBYRANK', sessions, '0', text(-1 - ARGV[3])) end
call('PEXPIRE', sessions, ARGV[2])
if other == '' then return {''} end
call('ZREMRANGEBYSCORE', links, '-inf', text(clock() - ARGV[6]))
local new = call('ZADD', links, 'GT', at, other)
if new == 1 then call('ZREMRANGEBYRANK', links, '0', text(-1 - ARGV[7])) end
call('PEXPIRE', links, ARGV[6])
if is_shared(prefix, ARGV[8]) then return {'shared'} end
return {'', unpack(direct_marks(prefix))}
