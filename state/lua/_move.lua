-- Merges an event's sequence numbers into its session; the newest event also changes what the session waits for.
-- include: _future
local call, max, floor, HOUR, moment = redis.call, math.max, math.floor, 3600000, nil
local begun = {} -- by rank of the activity, sessions whose first activity this is; counted at the end, all together

-- The time of this call, asked for once and only where it is needed: most calls of apply.lua do without.
local function now()
  moment = moment or clock()
  return moment
end

local function put(command, name, value)
  command[#command + 1] = name
  command[#command + 1] = value
end

-- include: _stays

-- The newest event was not known when the outreach was made: they came back. One that is `sending` may be under way.
local function call_off(prefix, key, why)
  local open = call('HGET', key, 'outreach')
  local state = open and call('HGET', prefix .. 'outreach:' .. open, 'state')
  if state == 'waiting' or state == 'leased' then finish(prefix, open, 'cancelled', why, clock()) end
  call('HDEL', key, 'outreach')
end

-- Since when it is silent: since its last event, or an expiry that this names (`silent`), or since it was last seen, which
-- is later than its last event only of events with a wrong clock (`seen`). Both are stored only where they differ.
local function note_silence(key, write, silent, seen, last, has)
  seen = max(seen, floor(last / 100))
  for name, is in pairs({silent = silent > seen and text(silent), seen = seen > floor(last / 100) and text(seen)}) do
    local was = name == 'silent' and has[4] or name == 'seen' and has[6]
    if is and is ~= was then put(write, name, is) elseif was and not is then call('HDEL', key, name) end
  end
  return max(silent, seen)
end

-- `event`: see apply.lua. `has`: activity, signal, purchase, silent, state and seen as stored. `write`: an HSET under
-- construction, carried out here. Returns the session's purchase.
local function move(prefix, ranks, key, event, has, write)
  local id, a, s, p = event[1], tonumber(event[2]), tonumber(event[3] or 0), tonumber(event[4] or 0)
  local was_ahead = is_ahead(has, max(number_of(has[1]), has[2] or 0, has[3] or 0), now())
  if was_ahead then has = put_back(key, has, now()) end
  local was_a, was_s, was_p = number_of(has[1]), tonumber(has[2] or 0), tonumber(has[3] or 0)
  local last, was_last, paid = max(a, s, p), max(was_a, was_s, was_p), p > was_p
  local silent, was_silent, was_state = silent_of(event[5], nil, last), silent_of(has[4], has[6], was_last), has[5]
  local seen, moved, state = tonumber(event[7] or '') or silent, last > was_last, was_state
  -- Also an event with a wrong clock says that they are there; the same event again is no news.
  local is_back = moved or seen > was_silent
  if a > 0 and a ~= was_a then note_stay(key, event[2], was_a > 0 and text(was_a), write) end
  if a < was_a then a = was_a end
  if was_a == 0 and a > 0 then begun[a % 100] = (begun[a % 100] or 0) + 1 end
  if s > was_s then put(write, 'signal', event[3]) else s = was_s end
  if p > was_p then put(write, 'purchase', event[4]) else p = was_p end
  if not moved then silent = max(last == was_last and silent or 0, tonumber(has[4] or 0)) end
  silent = note_silence(key, write, silent, max(seen, tonumber(has[6] or 0)), max(a, s, p), has)
  -- Bought is whoever paid after the last activity: a page closed afterwards, or a voucher, does not undo that.
  local taken_over = was_state and tonumber(call('HGET', key, 'moved') or 0) or 0
  if p > a then state = 'bought'
  elseif taken_over > 0 and max(a, s) <= taken_over then state = 'moved'
  elseif is_back or was_state == 'bought' then state = false end
  if was_state == 'abandoned' and (paid or is_back) then call_off(prefix, key, paid and 'paid' or 'came_back') end
  if state ~= was_state then
    if state then put(write, 'state', state) else call('HDEL', key, 'state') end
  end
  local looks_around = not state and s <= a and silent == floor(max(a, s, p) / 100)
  local activity = a > 0 and (looks_around and text(a) or marked(text(a)))
  if activity and activity ~= has[1] then put(write, 'activity', activity) end
  if #write > 2 then call(unpack(write)) end
  local was_lane, lane = not was_state and lane_of(prefix, ranks, was_a, was_s), not state and lane_of(prefix, ranks, a, s)
  if was_lane and was_lane ~= lane then call('ZREM', was_lane, id) end
  -- The scores of a lane are lower bounds: who stays in it moves up only when a sweep finds them at its head.
  if lane and (lane ~= was_lane or silent < was_silent or was_ahead) then call('ZADD', lane, text(silent), id) end
  -- Lives at least a session's time to live after its last activity; not set anew more than once an hour.
  if was_last == 0 or is_back and (was_state or floor(silent / HOUR) ~= floor(was_silent / HOUR)) then
    call('PEXPIREAT', key, text((silent > 0 and silent or clock()) + SESSION_TTL + HOUR))
  end
  return p
end
