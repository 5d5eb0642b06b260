-- Whether anything may be sent now: what an operator, the replies of the API and the orders have left in the control keys.
-- include: _clock
-- include: _flow

-- For these reasons nothing is sent at all, not even to try.
local HELD = {paused = true, mixed = true, orders_stopped = true}

-- Returns why nothing is sent: 'paused' by hand, 'mixed' while workers disagree on how to send, 'orders_stopped',
-- 'refused' or 'failing' by itself, nil when nothing speaks against it; then since when, until when (ms, nil: open), and who probes: 'free' for the next, else an outreach.
local function held_back(prefix, now)
  local has = redis.call('HMGET', prefix .. 'sending', 'paused', 'until', 'stopped', 'since', 'retry_at', 'probe', 'mixed')
  local ends = tonumber(has[2] or nil)
  if has[1] and not (ends and ends <= now) then return 'paused', tonumber(has[1]), ends, '' end
  if has[7] then return 'mixed', tonumber(has[7]), nil, '' end
  local flow = redis.call('HMGET', flow_of(prefix), 'held', 'since', 'released')
  if flow[1] and now >= tonumber(flow[3] or 0) then return 'orders_stopped', tonumber(flow[2]), nil, '' end
  if has[3] then return has[3], tonumber(has[4]), tonumber(has[5]), has[6] end
end

local function contacts(prefix, day) return prefix .. 'contacts:' .. day end
