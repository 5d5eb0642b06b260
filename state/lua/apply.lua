#!lua
-- Applies events of one partition, in any order and any number of times: the same events end in the same state.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  names of the ranks, a space between: `<stage>.<platform>` of each activity rank, then the kinds
-- ARGV[2]  as JSON, all texts: [session, activity, session, activity, ...]: sequence numbers of events that say nothing
--          else, silent since they occurred; ARGV[3] the others: [[session, activity, signal, purchase, silent, field,
--          stamped value, ...], ...]: sequence numbers or 0, ms, then fields (of two values the higher text wins)
-- Returns  flat, for each event that is an order or an opt-out, or says who the person is, and leaves its session bought
--          or opted out, or whose session another one has taken over: its place in ARGV[3] (from 0), the session's stamped phone
--          and country ('' for none), the purchase's sequence number ('0' for none), '1' when opted out, the session
--          that took it over ('' for none) and by which sequence number
-- include: _outreach
-- include: _move
-- include: _forgotten
local prefix, sessions, ranks, reply = KEYS[1], KEYS[1] .. 'session:', ARGV[1], {}
local about_person = {phone = true, country = true, opted_out = true}
local function merge(place, event, key, has)
  local write, tells, opted_out = {'HSET', key}, event[4] and event[4] ~= '0', has[6]
  for i = 6, #event, 2 do
    local name, value, known = event[i], event[i + 1], has[4 + i / 2]
    tells, opted_out = tells or about_person[name], opted_out or name == 'opted_out'
    if not known or value > known then put(write, name, value) end
  end
  local purchase = move(prefix, ranks, key, event, has, write)
  -- An order in a session that this one took over is the person's, too.
  if tells then purchase = math.max(purchase, tonumber(call('HGET', key, 'purchase_before') or 0)) end
  local to = has[5] and call('HMGET', key, 'moved_to', 'moved') or {}
  if place and (to[1] or tells and (purchase > 0 or opted_out)) then
    local known = call('HMGET', key, 'phone', 'country')
    local mark = {text(place - 1), known[1] or '', known[2] or '', text(purchase), opted_out and '1' or '',
      to[1] or '', to[2] or '0'}
    for _, word in ipairs(mark) do reply[#reply + 1] = word end
  end
end
local plain = cjson.decode(ARGV[2])
for i = 1, #plain, 2 do
  local key, activity = sessions .. plain[i], plain[i + 1]
  local has = call('HMGET', key, 'activity', 'signal', 'purchase', 'silent', 'state')
  if not goes_on(key, activity, has) then
    local event = {plain[i], activity}
    if not is_forgotten(key, event, has) then merge(nil, event, key, has) end
  end
end
for place, event in ipairs(cjson.decode(ARGV[3])) do
  local key = sessions .. event[1]
  local ask = {'HMGET', key, 'activity', 'signal', 'purchase', 'silent', 'state', 'opted_out'}
  for i = 6, #event, 2 do ask[#ask + 1] = event[i] end
  local has = call(unpack(ask))
  if not is_forgotten(key, event, has) then merge(place, event, key, has) end
end
for rank, number in pairs(begun) do count(prefix, clock(), 'sessions' .. where(name_of(ranks, rank)), number) end
return reply
