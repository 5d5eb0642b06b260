#!lua
-- Applies events of one partition, in any order and any number of times: the same events end in the same state.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  names of the ranks, a space between: `<stage>.<platform>` of each activity rank, then the kinds;
--          then for each event one text `session activity signal purchase silent fields` (three sequence numbers or 0,
--          ms or 0 when it moves nothing, a number), and each field's name and stamped value (the higher text wins)
-- Returns  flat, for each event that is an order or an opt-out, or says who the person is, and leaves its session bought
--          or opted out: its place (from 0), the session's stamped phone and country ('' for none), the purchase's
--          sequence number ('0' for none), '1' when opted out
-- include: _outreach
-- include: _move
local prefix, at, place, reply, names = KEYS[1], 2, 0, {}, {}
local about_person = {phone = true, country = true, opted_out = true}
for name in string.gmatch(ARGV[1], '%S+') do names[#names + 1] = name end
while at <= #ARGV do
  local id, a, s, p, silent, fields = string.match(ARGV[at], '^(%S+) (%d+) (%d+) (%d+) (%d+) (%d+)$')
  local key, tells, has, opted_out = prefix .. 'session:' .. id, p ~= '0', nil, false
  local write = {'HSET', key}
  fields = tonumber(fields)
  if fields == 0 then
    has = redis.call('HMGET', key, 'activity', 'signal', 'purchase', 'silent', 'state')
  else
    local ask = {'HMGET', key, 'activity', 'signal', 'purchase', 'silent', 'state'}
    for i = 0, fields - 1 do ask[8 + i] = ARGV[at + 1 + 2 * i] end
    ask[8 + fields] = 'opted_out'
    has = redis.call(unpack(ask))
    opted_out = has[6 + fields]
    for i = 0, fields - 1 do
      local name, value = ARGV[at + 1 + 2 * i], ARGV[at + 2 + 2 * i]
      tells, opted_out = tells or about_person[name], opted_out or name == 'opted_out'
      if not has[6 + i] or value > has[6 + i] then put(write, name, value) end
    end
  end
  local purchase = move(prefix, names, id, key, {a, s, p, silent}, has, write)
  if tells and (purchase > 0 or opted_out) then
    local known = redis.call('HMGET', key, 'phone', 'country')
    local mark = {place, known[1] or '', known[2] or '', text(purchase), opted_out and '1' or ''}
    for _, value in ipairs(mark) do reply[#reply + 1] = value end
  end
  at, place = at + 1 + 2 * fields, place + 1
end
return reply
