#!lua
-- A session takes over what an earlier one knew: its fields, each by its stamp, and how often it was contacted.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  session; ARGV[2] contacts made for the earlier one and those before it, as `tag=number` of each, commas between
--          (see state/session_record.py), the most of each count; ARGV[3] sequence number of its last order (0: none);
--          then each field's name and stamped value
-- Returns  the session's stamped phone, country and e-mail address ('' for none), the last purchase of either ('0' for
--          none), '1' when opted out, the session that has taken it over in turn ('' for none) and by which sequence number,
--          then its stamped answers as to call and whatsapp and their proof (see apply.lua)
-- include: _clock
-- include: _metadata
local key, write = KEYS[1] .. 'session:' .. ARGV[1], {}
if redis.call('HGET', key, 'state') == 'forgotten' then return {'', '', '', '0', '', '', '0', '', '', '', ''} end
for i = 4, #ARGV, 2 do
  local known = redis.call('HGET', key, ARGV[i])
  if not known or ARGV[i + 1] > known then
    write[#write + 1] = ARGV[i]
    write[#write + 1] = ARGV[i + 1]
  end
end
local before, most, tags = redis.call('HGET', key, 'contacts_before') or '', {}, {}
if string.match(before, '^%d+$') then before = '=' .. before end -- of an earlier version: of all together
for tag, number in string.gmatch(before .. ',' .. ARGV[2], '(%x*)=(%d+)') do
  if not most[tag] then tags[#tags + 1] = tag end
  most[tag] = math.max(most[tag] or 0, tonumber(number))
end
table.sort(tags)
for place, tag in ipairs(tags) do tags[place] = tag .. '=' .. text(most[tag]) end
if tags[1] then redis.call('HSET', key, 'contacts_before', table.concat(tags, ',')) end
local bought = tonumber(redis.call('HGET', key, 'purchase_before') or 0)
if tonumber(ARGV[3]) > bought then redis.call('HSET', key, 'purchase_before', ARGV[3]) end
-- In pieces: a session of an earlier version can have more fields than one call takes.
for i = 1, #write, 1000 do redis.call('HSET', key, unpack(write, i, math.min(i + 999, #write))) end
bound_metadata(key)
if redis.call('PTTL', key) == -1 and redis.call('HGET', key, 'state') ~= 'abandoned' then
  redis.call('PEXPIRE', key, SESSION_TTL)
end
local has = redis.call('HMGET', key, 'phone', 'country', 'email', 'purchase', 'opted_out', 'state', 'moved_to', 'moved')
local purchase = math.max(tonumber(has[4] or 0), bought, tonumber(ARGV[3]))
local to = has[6] == 'moved' and has[7] or ''
local said = redis.call('HMGET', key, 'consent.call', 'consent.whatsapp', 'consent.given_at', 'consent.source')
return {has[1] or '', has[2] or '', has[3] or '', text(purchase), has[5] and '1' or '', to, has[8] or '0', said[1] or '',
  said[2] or '', said[3] or '', said[4] or ''}
