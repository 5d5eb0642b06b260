#!lua flags=allow-oom
-- Returns how far the clock was put back: the latest time noted by a dispatch, or the latest order, is in the future.
--          Ingest counts orders, and its Redis user can't write the note.
-- KEYS[1]  prefix of the control keys
-- ARGV[1]  how much clocks can differ (ms)
-- Returns  how far it was put back (ms; 0: it wasn't)
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
