-- Merges an event's sequence numbers into its session; the newest event also changes what the session waits for.
local max, floor, HOUR = math.max, math.floor, 3600000

local function lane_of(prefix, names, activity, signal)
  if activity == 0 then return nil end
  local kind = signal > activity and names[1 + signal % 100] or 'idle'
  return prefix .. 'lane:' .. names[1 + activity % 100] .. '.' .. kind
end

local function put(command, name, value)
  command[#command + 1] = name
  command[#command + 1] = value
end

-- The newest event was not known when the outreach was made: they came back. One that is `sending` may be under way.
local function call_off(prefix, key, why)
  local open = redis.call('HGET', key, 'outreach')
  local state = open and redis.call('HGET', prefix .. 'outreach:' .. open, 'state')
  if state == 'waiting' or state == 'leased' then finish(prefix, open, 'cancelled', why, clock()) end
  redis.call('HDEL', key, 'outreach')
end

-- `event` and `has`: what comes and what is stored; `write`: an HSET under construction, carried out here.
local function move(prefix, names, id, key, event, has, write)
  local was_a, was_s, was_p = tonumber(has[1] or 0), tonumber(has[2] or 0), tonumber(has[3] or 0)
  local a, s, p, silent = tonumber(event[1]), tonumber(event[2]), tonumber(event[3]), tonumber(event[4])
  local was_silent, was_state = tonumber(has[4] or 0), has[5]
  local last, was_last, state = max(a, s, p), max(was_a, was_s, was_p), was_state
  local moved = last > was_last
  if a > was_a then put(write, 'activity', event[1]) else a = was_a end
  if s > was_s then put(write, 'signal', event[2]) else s = was_s end
  if p > was_p then put(write, 'purchase', event[3]) else p = was_p end
  if not moved and (last < was_last or silent >= was_silent) then silent = was_silent end
  if silent ~= was_silent then put(write, 'silent', event[4]) end
  -- Bought is whoever paid after the last activity: a page closed afterwards, or a voucher, does not undo that.
  if p > a then state = 'bought' elseif moved or was_state == 'bought' then state = false end
  local paid = tonumber(event[3]) > was_p
  if was_state == 'abandoned' and (paid or moved) then call_off(prefix, key, paid and 'paid' or 'came_back') end
  if state ~= was_state then
    if state then put(write, 'state', state) else redis.call('HDEL', key, 'state') end
  end
  if #write > 2 then redis.call(unpack(write)) end
  local was_lane, lane = not was_state and lane_of(prefix, names, was_a, was_s), not state and lane_of(prefix, names, a, s)
  if was_lane and was_lane ~= lane then redis.call('ZREM', was_lane, id) end
  if lane and (lane ~= was_lane or silent ~= was_silent) then redis.call('ZADD', lane, text(silent), id) end
  -- Lives at least a session's time to live after its last activity; not set anew more than once an hour.
  if was_last == 0 or moved and (was_state or floor(silent / HOUR) ~= floor(was_silent / HOUR)) then
    redis.call('PEXPIREAT', key, text((silent > 0 and silent or clock()) + SESSION_TTL + HOUR))
  end
  return p
end
