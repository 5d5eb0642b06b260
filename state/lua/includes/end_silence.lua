-- Count the end of a claimed silence, by an event of its session: see count_silences.lua. `begin`, `at`: when it began
-- and ended (ms); `rank`: of the stage and platform of the session; `kind`: of its lane.
-- include: constants, count_range, is_counted, keep_silence, place, read_silences, text, tuning, written_silences
local function end_silence(prefix, key, begin, rank, at, kind)
  local how = tuning(prefix)
  if not how then return end
  local stored, sending, name, phone, cart =
    unpack(redis.call('HMGET', key, 'tune', 'sending', 'name', 'phone', 'cart'))
  local record, stage = read_silences(stored), math.floor(rank / PLATFORMS) + 1
  local flag, low, is_tuned = record.flag, record.places[stage], string.find(how.kinds, kind, 1, true)
  local high = math.max(low, place(at - begin))
  -- guard ended_other: flag ~= '' and record.begin ~= begin => false
  if flag ~= '' and record.begin ~= begin then flag = flag == 'o' and '' or 'x' end
  if flag == 'x' then return
  elseif flag == '' then
    -- It wasn't counted when it was claimed, because another stage had used the contact up or counting was off.
    -- guard ended_kind: without or not is_tuned
    -- guard ended_counted: without not is_counted(how, rank, name, phone, cart) or
    if not is_counted(how, rank, name, phone, cart) or not is_tuned then return end
  -- It can't be known what would have followed without a request in flight, so that silence doesn't count.
  -- guard ended_in_flight: flag == 'o' and sending => false
  elseif flag == 'o' and sending then
    count_range(prefix, how, begin, rank, 'n', low, #GRID, -1)
    flag = 'x'
  else
    count_range(prefix, how, begin, rank, 'n', high, #GRID, -1)
    for _, horizon in ipairs(how.horizons) do
      -- Up to `known`, the horizon was over before the contact.
      local after, known = text(horizon), math.max(low, record.at and place(record.at - begin - horizon + 1) or 0)
      if flag ~= 'o' then count_range(prefix, how, begin, rank, flag .. after, math.max(known, high), #GRID, -1) end
      if flag ~= 's' then
        local from = math.max(known, place(at - begin - horizon))
        count_range(prefix, how, begin, rank, (flag == 'h' and 'g' or 'r') .. after, from, high, 1)
      end
    end
    if flag ~= 's' then keep_silence(key, rank, begin, low, high, flag == 'h' and record.at or 0) end
  end
  -- guard ended_once: (flag == '' or flag == 'o') and '' or 'x' => ''
  record.places[stage], record.flag = high, (flag == '' or flag == 'o') and '' or 'x'
  record.begin, record.at = nil, nil
  redis.call('HSET', key, 'tune', written_silences(record))
end
