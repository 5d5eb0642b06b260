#!lua flags=allow-oom
-- Says whether the clock was put back: the latest time that a dispatch or a stored moment noted lies in the future,
-- or the latest order does. Ingest counts orders, and its Redis user can't write the note.
-- KEYS[1]  prefix of the control keys
-- ARGV[1]  by how much clocks may differ (ms)
-- Returns  by how much it was put back (ms; 0: it was not)
-- include: clock, note_control_time
local differ_ms = ARGV[1]
local prefix, now = KEYS[1], clock()
local seen = tonumber(redis.call('HGET', prefix .. 'sending', 'clock') or 0)
-- guard clock_orders
seen = math.max(seen, tonumber(redis.call('HGET', prefix .. 'orders', 'last') or 0))
-- guard clock_step
if seen > now + differ_ms then return seen - now end
-- guard clock_seen
note_control_time(prefix, now)
return 0
