#!lua flags=allow-oom
-- Gives back what was not used: permits for requests that were not made, the place of a contact that surely was none.
-- KEYS[1]  prefix of the control keys
-- ARGV[1]  outreach ('': none); ARGV[2] our claim; ARGV[3] day of its place ('': none, or it is kept)
--          ARGV[4] requests not made; ARGV[5] time between two requests (us; 0: no limit)
-- Returns  nothing
-- include: _sending
local prefix, key, unused = KEYS[1], KEYS[1] .. 'sending', tonumber(ARGV[4])
if ARGV[3] ~= '' then
  local places = contacts(prefix, ARGV[3])
  if redis.call('HGET', places, ARGV[1]) == ARGV[2] then redis.call('HDEL', places, ARGV[1]) end
end
if unused == 0 then return end
if ARGV[5] ~= '0' then redis.call('HINCRBY', key, 'next_us', text(-unused * ARGV[5])) end
local probe = redis.call('HGET', key, 'probe')
-- The probe came to nothing: another may be tried at once.
if probe == 'free' or probe and probe ~= '' and probe == ARGV[1] then
  redis.call('HSET', key, 'probe', '', 'retry_at', text(clock()))
end
