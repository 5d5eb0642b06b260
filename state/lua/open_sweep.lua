#!lua
-- Says that events can be taken. After a gap, in which they could not, silence is measured from its end only. What a gap is
-- depends on how far apart these signs really are, whatever the settings say.
-- KEYS[1]  hash of the sweep
-- ARGV[1]  how long a gap is at least (ms); ARGV[2] how many times as long as the signs are usually apart it is at least
--          ARGV[3] interval of sweeps (ms) when one begins, '' for a sign in between
-- Returns  when events could be taken again after the last gap (ms; '0': never a gap)
-- include: _clock
local key, now = KEYS[1], clock()
local has = redis.call('HMGET', key, 'sign', 'apart', 'reopened')
local gap, apart, sorted = has[1] and now - has[1] or 0, {}, {}
for ms in string.gmatch(has[2] or '', '%d+') do apart[#apart + 1] = tonumber(ms) end
for i, ms in ipairs(apart) do sorted[i] = ms end
table.sort(sorted)
local usual = sorted[math.ceil(#sorted / 2)] or 0
local long = math.max(tonumber(ARGV[1]), ARGV[2] * usual)
-- A clock that was put back by more than that may hide a gap: a server that took over may be behind the one before it.
if math.abs(gap) > long or tonumber(has[3] or 0) > now then redis.call('HSET', key, 'reopened', text(now)) end
if has[1] and gap >= 0 then apart[#apart + 1] = text(gap) end
redis.call('HSET', key, 'sign', text(now), 'apart', table.concat(apart, ' ', math.max(1, #apart - 8)))
if ARGV[3] ~= '' then redis.call('HSET', key, 'last', text(now), 'interval', ARGV[3]) end
return redis.call('HGET', key, 'reopened') or '0'
