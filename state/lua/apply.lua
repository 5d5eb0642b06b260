#!lua
-- Applies events of one partition, in any order and any number of times: the same events end in the same state.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  names of the ranks: `<stage>.<platform>` of each activity rank, then the kinds; padded as _lane.lua says
-- ARGV[2]  as JSON, all texts: [session, activity, session, activity, ...]: sequence numbers of events that say nothing
--          else, silent since they occurred; ARGV[3] the others: [[session, activity, signal, purchase, silent, tell,
--          seen, field, stamped value, ...], ...]: sequence numbers or 0, ms, '1' to be told of the person, ms ('': as
--          silent), then fields (of two values the higher text wins)
-- Returns  flat, for each event that asks for it, that is an order or an opt-out, or says who the person is, and leaves its
--          session bought or opted out, or whose session another one has taken over: its place in ARGV[3] (from 0), the
--          session's stamped phone, country and e-mail address ('' for none), the purchase's sequence number ('0' for
--          none), '1' when opted out, the session that took it over ('' for none) and by which sequence number, the
--          session's stamped answers as to call and whatsapp, and their stamped proof: when and where given ('' for none)
-- include: _outreach
-- include: _move
-- include: _goes_on
-- include: _forgotten
local prefix, sessions, ranks, reply = KEYS[1], KEYS[1] .. 'session:', ARGV[1], {}
-- include: _merge

local plain = cjson.decode(ARGV[2])
for i = 1, #plain, 2 do
  local id, activity = plain[i], plain[i + 1]
  local key = sessions .. id
  if not goes_on(prefix, ranks, key, id, activity, call('HGET', key, 'activity')) then
    local event, has = {id, activity}, all_of(key)
    if not is_forgotten(key, event, has) then move(prefix, ranks, key, event, has, {'HSET', key}) end
  end
end
for place, event in ipairs(cjson.decode(ARGV[3])) do merge(place, event) end
for key in pairs(crowded) do bound_metadata(key) end
for rank, number in pairs(begun) do count(prefix, clock(), 'sessions' .. where(name_of(ranks, rank)), number) end
return reply
