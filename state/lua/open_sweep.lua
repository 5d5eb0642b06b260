#!lua
-- Records that events can be taken. After a gap, silence is measured from the end of the gap. The length of a gap
-- depends on the real intervals between these records, not on the settings.
-- KEYS[1]  hash of the sweep
-- ARGV[1]  shortest gap (ms); ARGV[2] how many usual intervals a gap lasts at least
--          ARGV[3] interval of sweeps (ms) if one begins, '' for a record in between
-- Returns  when the last gap ended (ms; '0': never a gap)
-- include: clock, text
local least_ms, times_usual, interval_ms = ARGV[1], ARGV[2], ARGV[3]
local key, now = KEYS[1], clock()
local sign, pauses, reopened = unpack(redis.call('HMGET', key, 'sign', 'apart', 'reopened'))
local gap, apart, sorted = sign and now - sign or 0, {}, {}
for ms in string.gmatch(pauses or '', '%d+') do apart[#apart + 1] = tonumber(ms) end
for i, ms in ipairs(apart) do sorted[i] = ms end
table.sort(sorted)
-- guard sweep_usual: sorted[math.ceil(#sorted / 2)] => sorted[#sorted]
local usual = sorted[math.ceil(#sorted / 2)] or 0
-- guard sweep_pace: times_usual * usual) => 0)
-- guard sweep_least: math.max(tonumber(least_ms), => math.max(0,
local long = math.max(tonumber(least_ms), times_usual * usual)
-- A clock put back by more than this can hide a gap: after a failover, the new server's clock can be behind.
-- guard sweep_gap: math.abs(gap) > long => false
-- guard sweep_ahead: without or tonumber(reopened or 0) > now
-- guard sweep_gap_back: math.abs(gap) => gap
-- guard sweep_step_small: math.abs(gap) > long => gap ~= 0
if math.abs(gap) > long or tonumber(reopened or 0) > now then redis.call('HSET', key, 'reopened', text(now)) end
if sign and gap >= 0 then apart[#apart + 1] = text(gap) end
-- guard sweep_pauses: math.max(1, #apart - 8) => 1
redis.call('HSET', key, 'sign', text(now), 'apart', table.concat(apart, ' ', math.max(1, #apart - 8)))
-- guard sweep_began: without 'last', text(now),
-- guard sweep_sign: interval_ms ~= '' => true
if interval_ms ~= '' then redis.call('HSET', key, 'last', text(now), 'interval', interval_ms) end
return redis.call('HGET', key, 'reopened') or '0'
