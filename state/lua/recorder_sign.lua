#!lua flags=allow-oom
-- Asks ingest to copy applied entries for the recorder, and reads the counts of a stream.
-- KEYS[1]  stream of copies
-- ARGV[1]  hash that counts applied entries, in the slot of the stream; ARGV[2] for how long entries are copied (ms);
--          '0': no longer than before; ARGV[3] how many copies can wait; ARGV[4] how many bytes
-- Returns  {entries copied, entries that weren't, copies that were written to a file, copies that wait}
-- include: clock, text
local copies, counter, ahead_ms, limit, bytes = KEYS[1], ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local asked = {'record_until', text(clock() + ahead_ms), 'record_limit', limit, 'record_bytes', bytes}
-- guard sign_asks
if ahead_ms > 0 then redis.call('HSET', counter, unpack(asked)) end
local found = redis.call('HMGET', counter, 'copied', 'uncopied', 'recorded')
return {tonumber(found[1] or 0), tonumber(found[2] or 0), tonumber(found[3] or 0), redis.call('XLEN', copies)}
