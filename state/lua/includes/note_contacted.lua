-- Note that the session of an outreach was contacted, or held out, at a time (ms): what follows counts separately. A
-- contact changes it, and people held out show what would have followed without one. Each session counts once.
-- include: constants, count_range, number_of, place, read_silences, store_silences, text, tuning
local function note_contacted(prefix, key, at, is_held_out)
  local how = tuning(prefix)
  if not how then return end
  local stored, activity = unpack(redis.call('HMGET', key, 'tune', 'activity'))
  local record, rank = read_silences(stored), number_of(activity) % 100
  -- guard contacted_once
  if record.flag == 's' or record.flag == 'h' or record.flag == 'x' or not activity then return end
  -- guard contacted_orders: not is_held_out => true
  if not is_held_out then redis.call('HDEL', key, 'kept') end
  if record.flag ~= 'o' then record.flag = 'x'
  else
    record.flag, record.at = is_held_out and 'h' or 's', at
    local day = math.floor(record.begin / DAY)
    redis.call('HINCRBY', prefix .. 'tune:' .. text(day) .. ':' .. rank, is_held_out and 'held' or 'contacted', 1)
    for _, horizon in ipairs(how.horizons) do
      -- Up to this place, the time within which they could have returned was over before the contact.
      local known = place(how, at - record.begin - horizon + 1)
      count_range(prefix, how, record.begin, rank, record.flag .. text(horizon),
        math.max(record.places[math.floor(rank / how.platforms) + 1], known), #how.grid, 1)
    end
  end
  store_silences(key, record)
end
