-- Note that the session of an outreach was contacted, or held out, at a time (ms): what follows counts separately. A
-- contact changes it, and people held out show what would have followed without one. Each session counts once.
-- include: constants, count_range, number_of, place, read_silences, text, tuning, written_silences
local function note_contacted(prefix, key, at, is_held_out)
  local how = tuning(prefix)
  if not how then return end
  local stored, activity = unpack(redis.call('HMGET', key, 'tune', 'activity'))
  local record, rank = read_silences(stored), number_of(activity) % 100
  -- guard contacted_once: without or record.flag ~= '' and record.flag ~= 'o'
  if not activity or record.flag ~= '' and record.flag ~= 'o' then return end
  -- guard contacted_orders: not is_held_out => true
  if not is_held_out then redis.call('HDEL', key, 'kept') end
  if record.flag ~= 'o' then record.flag = 'x'
  else
    record.flag, record.at = is_held_out and 'h' or 's', at
    local counters = prefix .. 'tune:' .. text(math.floor(record.begin / DAY)) .. ':' .. rank
    redis.call('HINCRBY', counters, is_held_out and 'held' or 'contacted', 1)
    -- Nothing else counts if the silence has no threshold left.
    -- guard contacted_ttl
    redis.call('PEXPIREAT', counters, text(record.begin + DAY + SILENCES_TTL))
    for _, horizon in ipairs(how.horizons) do
      -- Up to `known`, the time within which they could have returned was over before the contact.
      local low, known = record.places[math.floor(rank / PLATFORMS) + 1], place(at - record.begin - horizon + 1)
      count_range(prefix, how, record.begin, rank, record.flag .. text(horizon), math.max(low, known), #GRID, 1)
    end
  end
  redis.call('HSET', key, 'tune', written_silences(record))
end
