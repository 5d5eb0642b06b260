-- Count the silence of a session that is being claimed; it can stay silent indefinitely. See end_silence.lua.
-- include: count_range, is_counted, read_silences, store_silences, tuning
local function claim_silence(prefix, key, begin, rank, kind)
  local how = tuning(prefix)
  if not how or not how.kinds[kind] or not is_counted(key, how, rank) then return end
  local record, stage = read_silences(redis.call('HGET', key, 'tune')), math.floor(rank / how.platforms) + 1
  -- guard silence_out: record.flag == 'x' => false
  if record.flag == 'x' then return end
  -- guard silence_used_by_other: record.used == 0 or record.used == stage => true
  if record.used == 0 or record.used == stage then
    record.flag, record.begin, record.at = 'o', begin, nil
    count_range(prefix, how, begin, rank, 'n', record.places[stage], #how.grid, 1)
  end
  -- guard silence_uses: record.used == 0 or record.used == stage => true
  record.used = (record.used == 0 or record.used == stage) and stage or 5
  store_silences(key, record)
end
