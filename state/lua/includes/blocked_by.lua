-- Return what blocks all sending, according to the control keys: an operator, replies of the API, or missing orders.
-- Returns 'paused' by an operator, 'mixed' while workers disagree on the mode, 'orders_stopped', 'refused' or
-- 'failing'; nil if nothing blocks it. Then since when, until when (ms, nil: unknown), and the probe: 'free' for the
-- next outreach, else an outreach.
-- include: call
local function blocked_by(prefix, now)
  local paused, until_ms, stopped, since, retry_at, probe, mixed =
    unpack(call('HMGET', prefix .. 'sending', 'paused', 'until', 'stopped', 'since', 'retry_at', 'probe', 'mixed'))
  local ends = tonumber(until_ms or nil)
  -- guard pause_ends: without and not (ends and ends <= now)
  if paused and not (ends and ends <= now) then return 'paused', tonumber(paused), ends, '' end
  if mixed then return 'mixed', tonumber(mixed), nil, '' end
  local held, held_since, released = unpack(call('HMGET', prefix .. 'orders', 'held', 'since', 'released'))
  -- guard sending_hold: held and => false and
  -- guard sending_released: without and now >= tonumber(released or 0)
  if held and now >= tonumber(released or 0) then return 'orders_stopped', tonumber(held_since), nil, '' end
  if stopped then return stopped, tonumber(since), tonumber(retry_at), probe end
end
