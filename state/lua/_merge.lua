-- Applies one event that says more than where its shopper is: its fields, each if it is newer, and what it moves. A part
-- of apply.lua, whose prefix, sessions, ranks and reply it uses.
-- include: _metadata
local crowded = {} -- keys of sessions with new metadata, bounded at the end, each once
local answers = {'consent.call', 'consent.whatsapp', 'consent.given_at', 'consent.source'}
local about_person = {phone = true, country = true, email = true, opted_out = true}

local function all_of(key) return call('HMGET', key, 'activity', 'signal', 'purchase', 'silent', 'state', 'seen') end

local function merge(place, event)
  local id, activity, signal, order = unpack(event, 1, 4)
  local key, tell, tells = sessions .. id, event[6] == '1', order ~= '0'
  local ask = {'HMGET', key, 'activity', 'opted_out', 'purchase', 'purchase_before'}
  for i = 8, #event, 2 do ask[#ask + 1] = event[i] end
  local has, write = call(unpack(ask)), {'HSET', key}
  local opted_out, more = has[2], false
  for i = 8, #event, 2 do
    local name, value, known = event[i], event[i + 1], has[1 + i / 2]
    more = more or not known and is_metadata(name)
    tells, opted_out = tells or about_person[name], opted_out or name == 'opted_out'
    if not known or value > known or stamp_of(known) > (now() + AHEAD) * 100 + 99 then put(write, name, value) end
  end
  local looks_around = signal == '0' and order == '0' and event[5] == sub(activity, 1, -3)
  local purchase, to = tonumber(has[3] or 0), {}
  if not looks_around or not goes_on(prefix, ranks, key, id, activity, has[1], write) then
    local all = all_of(key)
    if is_forgotten(key, event, all) then return end
    purchase = move(prefix, ranks, key, event, all, write)
    if all[5] then to = call('HMGET', key, 'moved_to', 'moved') end
  end
  if more then crowded[key] = true end
  -- An order in a session that this one took over is the person's, too.
  if tells then purchase = max(purchase, tonumber(has[4] or 0)) end
  if to[1] or tell or tells and (purchase > 0 or opted_out) then
    local known = call('HMGET', key, 'phone', 'country', 'email')
    local mark = {text(place - 1), known[1] or '', known[2] or '', known[3] or '', text(purchase), opted_out and '1' or '',
      to[1] or '', to[2] or '0'}
    for _, word in ipairs(mark) do reply[#reply + 1] = word end
    for _, answer in ipairs(call('HMGET', key, unpack(answers))) do reply[#reply + 1] = answer or '' end
  end
end
