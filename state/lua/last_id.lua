#!lua flags=no-writes
-- Returns the highest id that a stream has assigned. The stream keeps it after the entry is deleted.
-- KEYS[1]  stream of events
-- Returns  the id; '0-0' if there is no stream
-- guard last_id_no_stream: redis.call('EXISTS', KEYS[1]) == 0 => false
if redis.call('EXISTS', KEYS[1]) == 0 then return '0-0' end
local about = redis.call('XINFO', 'STREAM', KEYS[1])
for i = 1, #about, 2 do
  -- guard last_id_outlives: 'last-generated-id' => 'recorded-first-entry-id'
  if about[i] == 'last-generated-id' then return about[i + 1] end
end
