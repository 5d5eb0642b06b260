#!lua
-- Applies events of one partition, in any order and any number of times: the same events end in the same state.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  names of the ranks, a space between: `<stage>.<platform>` of each activity rank, then the kinds;
--          then for each event one text `session activity signal purchase silent fields` (three sequence numbers or 0,
--          ms or 0 when it moves nothing, a number), and each field's name and stamped value (the higher text wins)
-- Returns  flat, for each event that is an order or brings a phone number, and leaves its session bought: its place
--          (from 0), the session's stamped phone and country ('' for none), the purchase's sequence number
-- include: _outreach
-- include: _move
local prefix, at, place, reply, names = KEYS[1], 2, 0, {}, {}
for name in string.gmatch(ARGV[1], '%S+') do names[#names + 1] = name end
while at <= #ARGV do
  local id, a, s, p, silent, fields = string.match(ARGV[at], '^(%S+) (%d+) (%d+) (%d+) (%d+) (%d+)$')
  local key, brings_phone, has = prefix .. 'session:' .. id, false, nil
  local write = {'HSET', key}
  fields = tonumber(fields)
  if fields == 0 then
    has = redis.call('HMGET', key, 'activity', 'signal', 'purchase', 'silent', 'state')
  else
    local ask = {'HMGET', key, 'activity', 'signal', 'purchase', 'silent', 'state'}
    for i = 0, fields - 1 do ask[8 + i] = ARGV[at + 1 + 2 * i] end
    has = redis.call(unpack(ask))
    for i = 0, fields - 1 do
      local name, value = ARGV[at + 1 + 2 * i], ARGV[at + 2 + 2 * i]
      brings_phone = brings_phone or name == 'phone'
      if not has[6 + i] or value > has[6 + i] then put(write, name, value) end
    end
  end
  local purchase = move(prefix, names, id, key, {a, s, p, silent}, has, write)
  if purchase > 0 and (brings_phone or p ~= '0') then
    local known = redis.call('HMGET', key, 'phone', 'country')
    for _, value in ipairs({place, known[1] or '', known[2] or '', text(purchase)}) do reply[#reply + 1] = value end
  end
  at, place = at + 1 + 2 * fields, place + 1
end
return reply
