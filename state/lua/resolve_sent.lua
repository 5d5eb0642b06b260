#!lua
-- A person has found out that an outreach which was unknown did arrive.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  outreach; ARGV[2] 'look': only say what would come of it
-- Returns  {'done'} | {'gone'} | {'is', its state}
-- include: _outreach
-- include: _reopen
local prefix, id = KEYS[1], ARGV[1]
local state = redis.call('HGET', prefix .. 'outreach:' .. id, 'state')
if not state then return {'gone'} end
if state ~= 'unknown' then return {'is', state} end
if ARGV[2] == 'look' then return {'done'} end
reopen(prefix, id)
finish(prefix, id, 'sent', 'by_operator', clock())
return {'done'}
