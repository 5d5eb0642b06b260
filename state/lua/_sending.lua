-- Whether anything may be sent now: what an operator and the replies of the API have left in the control hash.
-- include: _clock

-- Returns why nothing is sent: 'paused' by hand, 'refused' or 'failing' by itself, nil when nothing speaks against it;
-- then since when, until when (ms, nil: open), and who probes: 'free' for the next that comes, else an outreach.
local function held_back(key, now)
  local has = redis.call('HMGET', key, 'paused', 'until', 'stopped', 'since', 'retry_at', 'probe')
  local ends = tonumber(has[2] or nil)
  if has[1] and not (ends and ends <= now) then return 'paused', tonumber(has[1]), ends, '' end
  if has[3] then return has[3], tonumber(has[4]), tonumber(has[5]), has[6] end
end

local function contacts(prefix, day) return prefix .. 'contacts:' .. day end
