-- Count the silence of a session that is being claimed, which can stay silent indefinitely, and those noted before.
-- `begin`: since when it is silent (ms); `rank`: of its last activity; `kind`: of its lane. Without these three, only
-- those noted before.
-- include: constants, count_range, count_silences, is_counted, read_silences, tuning, written_silences
local function claim_silence(prefix, key, begin, rank, kind)
  local how = tuning(prefix)
  if not how then return end
  local stored, name, phone, cart = unpack(redis.call('HMGET', key, 'tune', 'name', 'phone', 'cart'))
  local record, stage = read_silences(stored), math.floor((rank or 0) / PLATFORMS) + 1
  -- guard claim_counts_noted
  count_silences(prefix, key, how, record)
  -- guard claimed_kind: string.find(how.kinds, kind, 1, true) => kind
  local is_tuned = kind and string.find(how.kinds, kind, 1, true)
  -- guard claimed_out: without and record.flag ~= 'x'
  -- guard claimed_counted: without and is_counted(how, rank, name, phone, cart)
  if is_tuned and record.flag ~= 'x' and is_counted(how, rank, name, phone, cart) then
    -- guard claimed_used_by_other: record.used == 0 or record.used == stage => true
    if record.used == 0 or record.used == stage then
      record.flag, record.begin, record.at = 'o', begin, nil
      count_range(prefix, how, begin, rank, 'n', record.places[stage], #GRID, 1)
    end
    -- guard claimed_uses: record.used == 0 or record.used == stage => true
    record.used = (record.used == 0 or record.used == stage) and stage or 5
  end
  redis.call('HSET', key, 'tune', written_silences(record))
end
