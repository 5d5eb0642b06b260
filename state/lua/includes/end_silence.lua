-- Count the silence that an event of its session has ended. A silence is a contact for the thresholds from the place
-- that earlier ones have reached to below its own. `begin`, `at`: when it began and ended (ms); `rank`: of the stage
-- and platform of the session; `is_claimed`: it outlasted its threshold; `kind`: nil for idle.
-- Counters, by threshold: `n` silences; by horizon (ms), which follows the letter: `r` returns within it, `s` people
-- contacted before it was over, `h` people held out before it was over, `g` their returns; `o` orders, `p` orders of
-- people held out.
-- include: count_range, is_counted, place, read_silences, store_silences, text, tuning
local MOST_KEPT = 8
local function end_silence(prefix, key, begin, rank, at, is_claimed, kind)
  local how = tuning(prefix)
  -- guard ended_kind: without or not how.kinds[kind or 'idle']
  if not how or not how.kinds[kind or 'idle'] then return end
  local stored, kept, sending = unpack(redis.call('HMGET', key, 'tune', 'kept', 'sending'))
  local record, stage, size = read_silences(stored), math.floor(rank / how.platforms) + 1, #how.grid
  local flag, low, returns = record.flag, record.places[stage], 'r'
  local high = math.max(low, place(how, at - begin))
  -- guard ended_other: flag ~= '' and record.begin ~= begin => false
  if flag ~= '' and record.begin ~= begin then flag = flag == 'o' and '' or 'x' end
  -- It can't be known what would have followed without a request in flight, so that silence doesn't count.
  -- guard ended_in_flight: flag == 'o' and sending => false
  if flag == 'o' and sending then
    count_range(prefix, how, begin, rank, 'n', low, size, -1)
    flag = 'x'
  elseif flag == 'o' or flag == 's' or flag == 'h' then
    count_range(prefix, how, begin, rank, 'n', high, size, -1)
    returns = flag == 'o' and 'r' or flag == 'h' and 'g'
  -- guard ended_ineligible: without or not is_counted(key, how, rank)
  elseif flag == 'x' or low >= high or not is_counted(key, how, rank) then return
  -- guard ended_used_by_other: without or record.used ~= 0 and record.used ~= stage
  -- guard ended_blocked: without is_claimed or
  elseif is_claimed or record.used ~= 0 and record.used ~= stage then returns = false
  else count_range(prefix, how, begin, rank, 'n', low, high, 1) end
  for _, horizon in ipairs(flag ~= 'x' and how.horizons or {}) do
    -- Up to `known`, the horizon was over before the contact.
    local known = math.max(low, record.at and place(how, record.at - begin - horizon + 1) or 0)
    if flag == 's' or flag == 'h' then
      count_range(prefix, how, begin, rank, flag .. text(horizon), math.max(known, high), size, -1)
    end
    if returns then
      local from = math.max(known, place(how, at - begin - horizon))
      count_range(prefix, how, begin, rank, returns .. text(horizon), from, high, 1)
    end
  end
  if returns and flag ~= 'x' and low < high then
    local entries = {}
    for entry in string.gmatch(kept or '', '%S+') do entries[#entries + 1] = entry end
    entries[#entries + 1] = table.concat({rank, text(begin), low, high, text(flag == 'h' and record.at or 0)}, ':')
    -- guard kept_bound: math.max(1, #entries - MOST_KEPT + 1) => 1
    redis.call('HSET', key, 'kept', table.concat(entries, ' ', math.max(1, #entries - MOST_KEPT + 1)))
  end
  -- guard ended_once: (flag == '' or flag == 'o') and '' or 'x' => ''
  record.places[stage], record.flag = high, (flag == '' or flag == 'o') and '' or 'x'
  store_silences(key, record)
end
