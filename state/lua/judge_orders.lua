#!lua flags=allow-oom
-- Records what the run of sessions without an order means, and whether nothing is sent for it.
-- KEYS[1]  prefix of the control keys
-- ARGV[1]  fine | doubtful | stopped | never | off (nobody looks); ARGV[2] the last order that was judged by (ms, 0: none)
--          ARGV[3] 1 when sending is held; ARGV[4] sessions in the run; ARGV[5] how many usually order
-- Returns  {level, 1 when that is news}
-- include: _clock
-- include: _flow
local prefix, level, now = KEYS[1], ARGV[1], clock()
local flow, bad = flow_of(prefix), {stopped = true, never = true}
local has = redis.call('HMGET', flow, 'last', 'level', 'at', 'held', 'released')
local last, was = has[1] or '0', has[2] or 'fine'
-- An order that arrived meanwhile says more than the verdict.
if level ~= 'off' and last ~= ARGV[2] then level = 'fine' end
-- It ends with an order, and not because the past is forgotten.
if bad[was] and has[3] == last and level ~= 'off' then level = was end
local from = math.max(tonumber(has[3] or 0), tonumber(has[5] or 0))
if bad[was] and not bad[level] and has[4] and level ~= 'off' then
  -- Who fell silent in between may have bought: their orders may never come.
  redis.call('ZADD', gaps_of(prefix), text(now), text(from))
  redis.call('ZREMRANGEBYSCORE', gaps_of(prefix), '-inf', text(now - 30 * DAY))
  redis.call('PEXPIRE', gaps_of(prefix), 30 * DAY)
end
if level == 'fine' or level == 'off' then
  if has[2] then redis.call('HDEL', flow, 'level', 'since', 'at', 'run', 'rate', 'held', 'released') end
  return {'fine', bad[was] and 1 or 0}
end
redis.call('HSET', flow, 'level', level, 'at', last, 'run', ARGV[4], 'rate', ARGV[5])
if level ~= was then redis.call('HSET', flow, 'since', text(now)) end
if ARGV[3] == '1' then
  redis.call('HSET', flow, 'held', '1')
else
  redis.call('HDEL', flow, 'held')
end
return {level, bad[level] and not bad[was] and 1 or 0}
