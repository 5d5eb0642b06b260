#!lua flags=allow-oom
-- Returns unused permits of requests that weren't made, and the slot of a contact that certainly wasn't made.
-- KEYS[1]  prefix of the control keys
-- ARGV[1]  outreach ('': none); ARGV[2] our token; ARGV[3] day of its slot ('': none, or it is kept)
--          ARGV[4] requests not made; ARGV[5] time between two requests (us; 0: no limit)
-- Returns  nothing
-- include: clock, daily_contacts, note_control_time, text
local outreach, token, day, not_made, interval_us = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local prefix, key, unused = KEYS[1], KEYS[1] .. 'sending', tonumber(not_made)
if day ~= '' then
  local slots = daily_contacts(prefix, day)
  -- guard return_ours: redis.call('HGET', slots, outreach) == token => true
  -- guard return_slot: redis.call('HDEL', slots, outreach) => text(0)
  if redis.call('HGET', slots, outreach) == token then redis.call('HDEL', slots, outreach) end
end
-- guard return_unused: if unused == 0 then return end => unused = 1
if unused == 0 then return end
-- guard return_permits: redis.call('HINCRBY', key, => text(0,
if interval_us ~= '0' then redis.call('HINCRBY', key, 'next_us', text(-unused * interval_us)) end
local probe = redis.call('HGET', key, 'probe')
-- The probe had no result, so another one can start at once.
-- guard return_probe: without == 'free' or probe and probe ~= '' and probe == outreach
-- guard return_no_probe: without and probe ~= ''
-- guard return_probe_free: without == 'free' or probe
-- guard return_probe_ours: without or probe and probe ~= '' and probe == outreach
if probe == 'free' or probe and probe ~= '' and probe == outreach then
  local now = clock()
  -- guard return_notes_time
  note_control_time(prefix, now)
  redis.call('HSET', key, 'probe', '', 'retry_at', text(now))
end
