#!lua
-- Claims the sessions of one partition that have been silent for too long.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  how many at most; ARGV[2] max_abandonment_age (ms); ARGV[3] number of required fields, ARGV[4...] their names;
--          then the lanes as JSON: [[lane, silent before (ms), threshold (ms), left alone ('' or why), from silence]]
--          then what the ids of new outreaches begin with; four hexadecimal digits are added
-- Returns  number taken from lanes (as many as the limit: there may be more), then the ids of the outreaches made
-- include: _outreach
local prefix, limit, max_age, required = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local now, taken, made = clock(), 0, {}
local function settle(key, session, state, reason)
  redis.call('HSET', key, 'state', state)
  redis.call('PEXPIRE', key, SESSION_TTL)
  count(prefix, now, outcome(state, reason), 1)
end
for _, lane in ipairs(cjson.decode(ARGV[4 + required])) do
  if taken >= limit then break end
  local set = prefix .. 'lane:' .. lane[1]
  local silent = redis.call('ZRANGE', set, '-inf', text(lane[2]), 'BYSCORE', 'LIMIT', '0', text(limit - taken), 'WITHSCORES')
  for i = 1, #silent, 2 do
    local id, since, key = silent[i], tonumber(silent[i + 1]), prefix .. 'session:' .. silent[i]
    local ask = {'HMGET', key, 'activity', 'signal'}
    for n = 1, required do ask[4 + n] = ARGV[3 + n] end
    local has = redis.call(unpack(ask))
    local last, reachable = math.max(tonumber(has[1] or 0), tonumber(has[2] or 0)), true
    for n = 1, required do reachable = reachable and has[2 + n] and #has[2 + n] > 10 end
    local overdue = (lane[5] and since or math.floor(last / 100)) + lane[3]
    redis.call('ZREM', set, id)
    taken = taken + 1
    count(prefix, now, 'silent.' .. lane[1], 1)
    if not has[1] then count(prefix, now, 'expired.session_gone', 1)
    elseif now - overdue > max_age then settle(key, id, 'expired', 'too_old')
    elseif not reachable then settle(key, id, 'unreachable', '')
    elseif lane[4] ~= '' then settle(key, id, 'suppressed', lane[4])
    else
      local outreach = ARGV[5 + required] .. string.format('%04x', #made)
      made[#made + 1] = outreach
      redis.call('HSET', prefix .. 'outreach:' .. outreach, 'session', id, 'state', 'waiting', 'lane', lane[1], 'last',
        text(last), 'expires_at', text(overdue + max_age), 'threshold', text(lane[3]), 'claimed_at', text(now), 'claim', 0,
        'attempts', 0, 'takes', 0, 'history', text(now) .. ' claimed silent since ' .. text(since) .. '\n')
      redis.call('ZADD', prefix .. 'due', text(math.min(overdue, now)), outreach)
      redis.call('HSET', key, 'state', 'abandoned', 'outreach', outreach)
      redis.call('PERSIST', key)
    end
  end
end
return {taken, unpack(made)}
