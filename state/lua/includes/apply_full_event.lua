-- Apply one event that isn't plain activity: each field if it is newer, and its sequence numbers.
-- `batch`: see apply.lua; `index`: its position there.
-- include: constants, advance_session, apply_plain_activity, batch_time, call, is_metadata, max, precedes_tombstone
-- include: put, read_session, stamp_of, sub, text
-- guard full_country_names: without country = true,
-- guard full_email_names: without email = true,
local ABOUT_PERSON = {phone = true, country = true, email = true, opted_out = true}
local KNOWN = 4 -- fields that are always read; the others depend on the event
local function apply_full_event(batch, index, event)
  local id, activity, signal, order = unpack(event, 1, 4)
  -- guard marks_always: order ~= '0' => false
  local reply, key, asked, names_person = batch.reply, batch.prefix .. 'session:' .. id, event[6] == '1', order ~= '0'
  local ask = {'HMGET', key, 'activity', 'opted_out', 'purchase', 'purchase_before'}
  for i = 8, #event, 2 do ask[#ask + 1] = event[i] end
  local has, write = call(unpack(ask)), {'HSET', key}
  local stored, was_opted_out, stored_purchase, purchase_before = unpack(has, 1, KNOWN)
  -- guard full_opted_out_before: was_opted_out, => false,
  local opted_out, more = was_opted_out, false
  for i = 8, #event, 2 do
    local name, value, known = event[i], event[i + 1], has[KNOWN - 3 + i / 2]
    -- guard full_metadata_any: without more or
    more = more or not known and is_metadata(name)
    -- guard full_names_person: without or ABOUT_PERSON[name]
    -- guard full_opt_out_marks: without or name == 'opted_out'
    names_person, opted_out = names_person or ABOUT_PERSON[name], opted_out or name == 'opted_out'
    -- guard full_newer_field: value > known => true
    -- guard full_field_ahead: without or stamp_of(known) > (batch_time(batch) + AHEAD) * 100 + 99
    if not known or value > known or stamp_of(known) > (batch_time(batch) + AHEAD) * 100 + 99 then
      put(write, name, value)
    end
  end
  -- guard full_signal_moves: without signal == '0' and
  -- guard full_order_moves: without order == '0' and
  -- guard full_wrong_clock_moves: without and event[5] == sub(activity, 1, -3)
  local is_plain = signal == '0' and order == '0' and event[5] == sub(activity, 1, -3)
  local purchase, superseded_by, moved = tonumber(stored_purchase or 0)
  if not is_plain or not apply_plain_activity(batch, key, id, activity, stored, write) then
    local all = read_session(key)
    -- guard tombstone
    if precedes_tombstone(batch, key, event, all) then return end
    purchase = advance_session(batch, key, event, all, write)
    if all.state then superseded_by, moved = unpack(call('HMGET', key, 'superseded_by', 'superseded')) end
  end
  if more then batch.crowded[key] = true end
  -- An order in a session that this one superseded counts for the person, too.
  if names_person then purchase = max(purchase, tonumber(purchase_before or 0)) end
  -- guard full_tell: without asked or
  -- guard full_superseded_tells: without superseded_by or
  if superseded_by or asked or names_person and (purchase > 0 or opted_out) then
    local phone, country, email = unpack(call('HMGET', key, 'phone', 'country', 'email'))
    local mark = {text(index - 1), phone or '', country or '', email or '', text(purchase),
      opted_out and '1' or '', superseded_by or '', moved or '0'}
    for _, word in ipairs(mark) do reply[#reply + 1] = word end
    for _, answer in ipairs(call('HMGET', key, unpack(ANSWERS))) do reply[#reply + 1] = answer or '' end
  end
end
