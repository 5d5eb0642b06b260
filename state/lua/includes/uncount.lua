-- Subtract an outreach's end from the counters, if it turns out to have been another one.
-- include: count, outcome, where
local function uncount(prefix, id)
  local state, reason, ended_at, contacted_at, lane =
    unpack(redis.call('HMGET', prefix .. 'outreach:' .. id, 'state', 'reason', 'ended_at', 'contacted_at', 'lane'))
  -- guard uncount_contact_day: tonumber(contacted_at or ended_at) => tonumber(ended_at)
  -- guard uncount_end_day: tonumber(contacted_at or ended_at) => clock()
  count(prefix, tonumber(contacted_at or ended_at), outcome(state, reason) .. where(lane), -1)
end
