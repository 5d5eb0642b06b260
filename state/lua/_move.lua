-- Merges an event's sequence numbers into its session; the newest event also changes what the session waits for.
-- include: _lane
local call, max, floor, HOUR = redis.call, math.max, math.floor, 3600000
local begun = {} -- by rank of the activity, sessions whose first activity this is; counted at the end, all together

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

-- `event`: see apply.lua. `has`: activity, signal, purchase, silent and state as stored. `write`: an HSET under
-- construction, carried out here. Returns the session's purchase.
local function move(prefix, ranks, key, event, has, write)
  local id, a, s, p = event[1], tonumber(event[2]), tonumber(event[3] or 0), tonumber(event[4] or 0)
  local was_a, was_s, was_p = number_of(has[1]), tonumber(has[2] or 0), tonumber(has[3] or 0)
  local last, was_last, paid = max(a, s, p), max(was_a, was_s, was_p), p > was_p
  local silent, was_silent, was_state = silent_of(event[5], last), silent_of(has[4], was_last), has[5]
  local moved, state = last > was_last, was_state
  if a > 0 and a ~= was_a then note_stay(key, event[2], was_a > 0 and text(was_a), write) end
  if a < was_a then a = was_a end
  if was_a == 0 and a > 0 then begun[a % 100] = (begun[a % 100] or 0) + 1 end
  if s > was_s then put(write, 'signal', event[3]) else s = was_s end
  if p > was_p then put(write, 'purchase', event[4]) else p = was_p end
  if not moved and (last < was_last or silent >= was_silent) then silent = was_silent end
  if silent ~= floor(max(a, s, p) / 100) then
    if silent ~= was_silent or not has[4] then put(write, 'silent', text(silent)) end
  elseif has[4] then
    call('HDEL', key, 'silent')
  end
  -- Bought is whoever paid after the last activity: a page closed afterwards, or a voucher, does not undo that.
  local taken_over = was_state and tonumber(call('HGET', key, 'moved') or 0) or 0
  if p > a then state = 'bought'
  elseif taken_over > 0 and max(a, s) <= taken_over then state = 'moved'
  elseif moved or was_state == 'bought' then state = false end
  if was_state == 'abandoned' and (paid or moved) then call_off(prefix, key, paid and 'paid' or 'came_back') end
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
  if lane and (lane ~= was_lane or silent < was_silent) then call('ZADD', lane, text(silent), id) end
  -- Lives at least a session's time to live after its last activity; not set anew more than once an hour.
  if was_last == 0 or moved and (was_state or floor(silent / HOUR) ~= floor(was_silent / HOUR)) then
    call('PEXPIREAT', key, text((silent > 0 and silent or clock()) + SESSION_TTL + HOUR))
  end
  return p
end
