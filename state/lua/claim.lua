#!lua
-- Claims the sessions of one partition that have been silent for too long.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  how many to look at; ARGV[2] max_abandonment_age (ms); ARGV[3] number of required fields, ARGV[4...] names;
--          then the lanes as JSON: [[lane, silent before (ms), threshold (ms), left alone ('' or why), from silence, when
--          the sweep looked (ms): later than now, the clock was put back]], what the ids of new outreaches begin with, four
--          digits short, the names of the ranks (apply.lua)
-- Returns  number looked at (as many as the limit: there may be more), number taken, then the ids of outreaches made
-- include: _outreach
-- include: _future
-- include: _stamp
local prefix, limit, max_age, required = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local now, ranks, looked, taken, made = clock(), ARGV[6 + required], 0, 0, {}
local ask = {'HMGET', '', 'activity', 'signal', 'silent', 'state', 'seen', unpack(ARGV, 4, 3 + required)}
local function settle(key, activity, outcome, lane)
  redis.call('HSET', key, 'activity', marked(activity), 'state', outcome)
  redis.call('PEXPIRE', key, SESSION_TTL)
  count(prefix, now, outcome .. where(lane[1]), 1)
end
local function make(session, key, activity, lane, since, last, overdue)
  local outreach = ARGV[5 + required] .. string.format('%04x', #made)
  made[#made + 1] = outreach
  redis.call('HSET', prefix .. 'outreach:' .. outreach, 'session', session, 'state', 'waiting', 'lane', lane[1], 'last',
    text(last), 'expires_at', text(overdue + max_age), 'threshold', text(lane[3]), 'claimed_at', text(now), 'claim', 0,
    'attempts', 0, 'takes', 0, 'history', text(now) .. ' claimed silent since ' .. text(since) .. '\n')
  redis.call('ZADD', prefix .. 'due', text(math.min(overdue, now)), outreach)
  local made_before = redis.call('HGET', key, 'outreaches') or '' -- the latest eight, each of 19 characters and a space
  redis.call('HSET', key, 'activity', marked(activity), 'state', 'abandoned', 'outreach', outreach, 'outreaches', string.sub(made_before .. outreach .. ' ', -160))
  redis.call('PERSIST', key)
end
for _, lane in ipairs(cjson.decode(ARGV[4 + required])) do
  local set = prefix .. 'lane:' .. lane[1]
  put_back_all(prefix, lane[1], lane[5], now, limit)
  local silent = redis.call('ZRANGE', set, '-inf', text((lane[6] or 0) > now + 1000 and 0 or lane[2]), 'BYSCORE', 'LIMIT', '0', text(limit - looked), 'WITHSCORES')
  looked = looked + #silent / 2
  for i = 1, #silent, 2 do
    local id, key = silent[i], prefix .. 'session:' .. silent[i]
    ask[2] = key
    local has, reachable = redis.call(unpack(ask)), true
    for n = 1, required do reachable = reachable and has[5 + n] and #has[5 + n] > STAMP_WIDTH end
    local activity, signal = number_of(has[1]), tonumber(has[2] or 0)
    local last, since = math.max(activity, signal), silent_of(has[3], has[5], math.max(activity, signal))
    local overdue = (lane[5] and since or math.floor(last / 100)) + lane[3]
    -- Not one that expired while it waited here and has come anew: that one waits in another lane, or is done.
    local waits = has[1] and not has[4] and lane_of(prefix, ranks, activity, signal) == set
    -- Its score was a lower bound: they may have gone on at the same place.
    local went_on = waits and since > lane[2]
    if went_on then redis.call('ZADD', set, text(since), id) else redis.call('ZREM', set, id) end
    if waits and not went_on or not has[1] then
      taken = taken + 1
      count(prefix, now, 'silent.' .. lane[1], 1)
      if not has[1] then count(prefix, now, 'expired.session_gone' .. where(lane[1]), 1)
      elseif now - overdue > max_age then settle(key, has[1], 'expired.too_old', lane)
      elseif not reachable then settle(key, has[1], 'unreachable', lane)
      elseif lane[4] ~= '' then settle(key, has[1], 'suppressed.' .. lane[4], lane)
      else make(id, key, has[1], lane, since, last, overdue) end
    end
  end
end
return {looked, taken, unpack(made)}
