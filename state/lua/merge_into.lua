#!lua
-- Copies the data of a superseded session to a session: fields by their stamps, and the number of contacts.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  session; ARGV[2] contacts made for the earlier one and those before it, as `tag=number`, separated by commas
--          (see state/session_record.py), of which the highest numbers count; ARGV[3] sequence number of its last order
--          (0: none); then each field's name and stamped value
-- Returns  the session's stamped phone, country and e-mail address ('' for none), the last purchase of either ('0' for
--          none), '1' if opted out, the session that superseded this one ('' for none) and by which sequence number,
--          then its stamped answers for call and whatsapp and their proof (see apply.lua)
-- include: constants, bound_metadata, text
local session, earlier_contacts, earlier_purchase = ARGV[1], ARGV[2], ARGV[3]
local key, write = KEYS[1] .. 'session:' .. session, {}
-- guard merge_into_forgotten: redis.call('HGET', key, 'state') == 'forgotten' => false
if redis.call('HGET', key, 'state') == 'forgotten' then return {'', '', '', '0', '', '', '0', '', '', '', ''} end
for i = 4, #ARGV, 2 do
  local name, value = ARGV[i], ARGV[i + 1]
  local known = redis.call('HGET', key, name)
  -- guard merge_into_newer: value > known => true
  if not known or value > known then
    write[#write + 1] = name
    write[#write + 1] = value
  end
end
local before, most, tags = redis.call('HGET', key, 'contacts_before') or '', {}, {}
-- guard merge_into_old_form: string.match(before, '^%d+$') => false
if string.match(before, '^%d+$') then before = '=' .. before end -- of an earlier version: the total of all
-- guard merge_into_adds_up: without before .. ',' ..
for tag, number in string.gmatch(before .. ',' .. earlier_contacts, '(%x*)=(%d+)') do
  if not most[tag] then tags[#tags + 1] = tag end
  -- guard merge_into_once: math.max(most[tag] or 0, tonumber(number)) => (most[tag] or 0) + tonumber(number)
  -- guard merge_into_most: math.max(most[tag] or 0, tonumber(number)) => tonumber(number)
  most[tag] = math.max(most[tag] or 0, tonumber(number))
end
table.sort(tags)
for index, tag in ipairs(tags) do tags[index] = tag .. '=' .. text(most[tag]) end
-- guard merge_into_contacts: tags[1] => false
if tags[1] then redis.call('HSET', key, 'contacts_before', table.concat(tags, ',')) end
local bought = tonumber(redis.call('HGET', key, 'purchase_before') or 0)
if tonumber(earlier_purchase) > bought then redis.call('HSET', key, 'purchase_before', earlier_purchase) end
-- In pieces: a session of an earlier version can have more fields than one call takes.
-- guard merge_into_pieces: math.min(i + 999, #write) => #write
for i = 1, #write, 1000 do redis.call('HSET', key, unpack(write, i, math.min(i + 999, #write))) end
-- guard merge_into_bounded
bound_metadata(key)
-- guard merge_into_open: without and redis.call('HGET', key, 'state') ~= 'abandoned'
if redis.call('PTTL', key) == -1 and redis.call('HGET', key, 'state') ~= 'abandoned' then
  -- guard merge_into_ttl
  redis.call('PEXPIRE', key, SESSION_TTL)
end
local phone, country, email, purchase, opted_out, state, superseded_by, superseded =
  unpack(redis.call('HMGET', key, 'phone', 'country', 'email', 'purchase', 'opted_out', 'state', 'superseded_by',
    'superseded'))
local latest = math.max(tonumber(purchase or 0), bought, tonumber(earlier_purchase))
-- guard merge_into_chain: without state == 'superseded' and superseded_by or
local to = state == 'superseded' and superseded_by or ''
local call_answer, whatsapp_answer, given_at, given_where = unpack(redis.call('HMGET', key, unpack(ANSWERS)))
return {phone or '', country or '', email or '', text(latest), opted_out and '1' or '', to, superseded or '0',
  call_answer or '', whatsapp_answer or '', given_at or '', given_where or ''}
