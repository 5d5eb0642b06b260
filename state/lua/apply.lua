#!lua
-- Applies events of one partition. In any order and any number of times, the same events give the same state.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  names of the ranks: `<stage>.<platform>` of each activity rank, then the kinds; padded to RANK_WIDTH
-- ARGV[2]  as JSON, all texts: [session, activity, session, activity, ...]: sequence numbers of plain events, silent
--          since they occurred; ARGV[3] the others: [[session, activity, signal, purchase, silent, mark, seen, field,
--          stamped value, ...], ...]: sequence numbers or 0, ms, '1' to return the person, ms ('': as silent), then
--          fields (of two values the higher text wins)
-- Returns  flat, for each event that requests it, that is an order or an opt-out or names the person and leaves its
--          session bought or opted out, or whose session is superseded: its index in ARGV[3] (from 0), the session's
--          stamped phone, country and e-mail address ('' for none), the purchase's sequence number ('0' for none), '1'
--          if opted out, the session that superseded it ('' for none) and by which sequence number, the session's
--          stamped answers for call and whatsapp, and their stamped proof: when and where given ('' for none)
-- include: advance_session, apply_full_event, apply_plain_activity, bound_metadata, call, clock, count
-- include: precedes_tombstone, rank_name, read_session, where
local ranks, plain, events = ARGV[1], cjson.decode(ARGV[2]), cjson.decode(ARGV[3])
-- Shared by all events. `started`: by rank of the activity, sessions whose first activity this is. `crowded`: keys of
-- sessions with new metadata, which are bounded once at the end.
local batch = {prefix = KEYS[1], ranks = ranks, started = {}, crowded = {}, reply = {}}

for i = 1, #plain, 2 do
  local id, activity = plain[i], plain[i + 1]
  local key = KEYS[1] .. 'session:' .. id
  if not apply_plain_activity(batch, key, id, activity, call('HGET', key, 'activity')) then
    local event, has = {id, activity}, read_session(key)
    -- guard tombstone_plain: not precedes_tombstone(batch, key, event, has) => true
    if not precedes_tombstone(batch, key, event, has) then advance_session(batch, key, event, has, {'HSET', key}) end
  end
end
for index, event in ipairs(events) do apply_full_event(batch, index, event) end
-- guard metadata_bounded
for key in pairs(batch.crowded) do bound_metadata(key) end
for rank, number in pairs(batch.started) do
  count(KEYS[1], clock(), 'sessions' .. where(rank_name(ranks, rank)), number)
end
return batch.reply
