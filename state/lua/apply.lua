#!lua
-- Applies events of one partition, in any order and any number of times: the same events end in the same state.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  names of the ranks, a space between: `<stage>.<platform>` of each activity rank, then the kinds
-- ARGV[2]  the events as JSON, all texts: [[session, activity, signal, purchase, silent, field, stamped value, ...], ...]:
--          three sequence numbers or 0, ms, then fields (of two values the higher text wins); or [session, activity] of
--          an event that says nothing else, silent since it occurred
-- Returns  flat, for each event that is an order or an opt-out, or says who the person is, and leaves its session bought
--          or opted out, or whose session another one has taken over: its place (from 0), the session's stamped phone
--          and country ('' for none), the purchase's sequence number ('0' for none), '1' when opted out, the session
--          that took it over ('' for none) and by which sequence number
-- include: _outreach
-- include: _move
-- include: _forgotten
local prefix, ranks, reply = KEYS[1], ARGV[1], {}
local about_person = {phone = true, country = true, opted_out = true}
local function merge(place, event, key, has)
  local write, tells, opted_out = {'HSET', key}, event[4] and event[4] ~= '0', has[6]
  for i = 6, #event, 2 do
    local name, value, known = event[i], event[i + 1], has[4 + i / 2]
    tells, opted_out = tells or about_person[name], opted_out or name == 'opted_out'
    if not known or value > known then put(write, name, value) end
  end
  local purchase = move(prefix, ranks, key, event, has, write)
  local to = has[5] and call('HMGET', key, 'moved_to', 'moved') or {}
  if to[1] or tells and (purchase > 0 or opted_out) then
    local known = call('HMGET', key, 'phone', 'country')
    local mark = {text(place - 1), known[1] or '', known[2] or '', text(purchase), opted_out and '1' or '',
      to[1] or '', to[2] or '0'}
    for _, word in ipairs(mark) do reply[#reply + 1] = word end
  end
end
for place, event in ipairs(cjson.decode(ARGV[2])) do
  local key, has = prefix .. 'session:' .. event[1], nil
  if #event > 5 then
    local ask = {'HMGET', key, 'activity', 'signal', 'purchase', 'silent', 'state', 'opted_out'}
    for i = 6, #event, 2 do ask[#ask + 1] = event[i] end
    has = call(unpack(ask))
  else
    has = call('HMGET', key, 'activity', 'signal', 'purchase', 'silent', 'state')
  end
  if not goes_on(key, event, has) and not is_forgotten(key, event, has) then merge(place, event, key, has) end
end
return reply
