-- Note the silence that an event of its session has ended, before it was claimed, if it is longer than the stage's
-- earlier ones. Ingest only notes it in the session, ` RANK:BEGIN:LOW:GAP`, because each counter costs as much as the
-- event itself. claim.lua or an order counts it. `begin`: when it began (ms), `gap`: how long it was (ms); `rank`: of
-- the session's stage and platform; `kind`: of its lane. Returns the session's new field `tune`; nil: it stays.
-- include: call, constants, count_silences, floor, is_counted, place, read_silences, sub, text, tuning
-- include: written_silences
local MOST_UNCOUNTED = 512
local function note_silence(prefix, key, begin, rank, gap, kind)
  local phone, stored, name, cart = unpack(call('HMGET', key, 'phone', 'tune', 'name', 'cart'))
  if not phone then return end
  stored = stored or '00000'
  local stage, high = floor(rank / PLATFORMS) + 1, place(gap)
  local low, used, flag = tonumber(sub(stored, stage, stage), 36), sub(stored, 5, 5), sub(stored, 6, 6)
  -- guard noted_longer: high <= low or => false or
  -- guard noted_out: without or flag ~= '' and flag ~= ' '
  if high <= low or flag ~= '' and flag ~= ' ' then return end
  local how = tuning(prefix)
  -- guard noted_kind: without or not string.find(how.kinds, kind, 1, true)
  if not how or not string.find(how.kinds, kind, 1, true) then return end
  -- guard noted_counted: not is_counted(how, rank, name, phone, cart) => false
  if not is_counted(how, rank, name, phone, cart) then return end
  -- guard noted_used_by_other: used == '0' or tonumber(used) == stage => true
  local counts = used == '0' or tonumber(used) == stage
  local added = counts and ' ' .. rank .. ':' .. text(begin) .. ':' .. low .. ':' .. text(gap) or ''
  stored = sub(stored, 1, stage - 1) .. sub(DIGITS, high + 1, high + 1) .. sub(stored, stage + 1) .. added
  -- guard noted_bound: #stored > MOST_UNCOUNTED => false
  if #stored > MOST_UNCOUNTED then
    local record = read_silences(stored)
    count_silences(prefix, key, how, record)
    stored = written_silences(record)
  end
  return stored
end
