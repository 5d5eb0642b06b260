#!lua flags=allow-oom
-- Moves future times in the control keys back, after the clock was put back, and records this.
-- KEYS[1]  prefix of the control keys
-- ARGV[1]  how far the clock was put back (ms)
-- Returns  nothing
-- include: clock, text
local prefix, now, step = KEYS[1], clock(), tonumber(ARGV[1])
local sending, flow, gaps, seen = prefix .. 'sending', prefix .. 'orders', prefix .. 'gaps', prefix .. 'checkouts'
local function put_back(key, least, ...)
  for _, field in ipairs({...}) do
    local at = tonumber(redis.call('HGET', key, field) or 0)
    if at > now then redis.call('HSET', key, field, text(math.max(least, at - step))) end
  end
end
-- A pause from before the clock was ahead keeps its end: too late is better than too early.
-- guard back_pause_ahead: tonumber(redis.call('HGET', sending, 'paused') or 0) > now => true
-- guard back_pause_until: without put_back(sending, now, 'until')
if tonumber(redis.call('HGET', sending, 'paused') or 0) > now then put_back(sending, now, 'until') end
-- guard back_retry
put_back(sending, now, 'retry_at')
-- guard back_mixed: 'since', 'mixed') => 'since')
-- guard back_paused
put_back(sending, 0, 'paused', 'since', 'mixed')
-- guard back_progress: 0, => now + DAY,
put_back(prefix .. 'progress', 0, 'swept', 'dispatched', 'untaken', 'taken', 'undecided')
-- guard back_backlog
put_back(prefix .. 'backlog', 0, 'since')
-- guard back_orders: 0, => now + 60000,
put_back(flow, 0, 'last', 'at', 'since', 'released')
local later = redis.call('ZRANGE', gaps, '(' .. text(now), '+inf', 'BYSCORE', 'WITHSCORES')
for i = 1, #later, 2 do
  local from = tonumber(later[i])
  redis.call('ZREM', gaps, later[i])
  -- guard back_gap_end: text(later[i + 1] - step) => text(tonumber(later[i + 1]))
  -- guard back_gap_begin: without > now and from - step or from
  redis.call('ZADD', gaps, text(later[i + 1] - step), text(from > now and from - step or from))
end
-- Statistics of some hours, so future entries can be dropped.
-- guard back_checkouts
redis.call('ZREMRANGEBYSCORE', seen, '(' .. text(now), '+inf')
-- guard back_ordered
redis.call('ZREMRANGEBYSCORE', seen, '-inf', '(' .. text(-now))
-- guard back_clock: without 'clock', text(now),
-- guard back_noted: without , 'put_back', text(now)
redis.call('HSET', sending, 'clock', text(now), 'put_back', text(now))
