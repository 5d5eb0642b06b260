#!lua flags=allow-oom
-- Records the verdict on the run of sessions without an order, and whether sending is held for it.
-- KEYS[1]  prefix of the control keys
-- ARGV[1]  fine | doubtful | stopped | never | off (not checked); ARGV[2] the last order of the verdict (ms, 0: none)
--          ARGV[3] 1 if sending is held; ARGV[4] sessions in the run; ARGV[5] how many usually order
-- Returns  {level, 1 if it changed}
-- include: constants, clock, note_control_time, text
local verdict, judged_last, holds, in_run, usual_rate = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local prefix, level, now = KEYS[1], verdict, clock()
local flow, bad = prefix .. 'orders', {stopped = true, never = true}
local stored_last, stored_level, level_at, held, released =
  unpack(redis.call('HMGET', flow, 'last', 'level', 'at', 'held', 'released'))
local last, was = stored_last or '0', stored_level or 'fine'
-- An order that has arrived since outweighs the verdict.
-- guard judge_verdict_stale
if level ~= 'off' and last ~= judged_last then level = 'fine' end
-- It ends with an order, and not because old counters expire.
-- guard judge_lasts
-- guard judge_off: without and level ~= 'off'
-- guard judge_same_order: without level_at == last and
if bad[was] and level_at == last and level ~= 'off' then level = was end
-- guard judge_gap_resumed: tonumber(released or 0) => 0
local from = math.max(tonumber(level_at or 0), tonumber(released or 0))
-- guard judge_gap_held: without held and
-- guard judge_gap_off: without and level ~= 'off'
if bad[was] and not bad[level] and held and level ~= 'off' then
  -- Shoppers who fell silent in between might have bought, and their orders might never arrive.
  redis.call('ZADD', prefix .. 'gaps', text(now), text(from))
  redis.call('ZREMRANGEBYSCORE', prefix .. 'gaps', '-inf', text(now - 30 * DAY))
  redis.call('PEXPIRE', prefix .. 'gaps', 30 * DAY)
  -- guard judge_notes_time
  note_control_time(prefix, now)
end
if level == 'fine' or level == 'off' then
  if stored_level then redis.call('HDEL', flow, 'level', 'since', 'at', 'run', 'rate', 'held', 'released') end
  return {'fine', bad[was] and 1 or 0}
end
redis.call('HSET', flow, 'level', level, 'at', last, 'run', in_run, 'rate', usual_rate)
if level ~= was then redis.call('HSET', flow, 'since', text(now)) end
-- guard judge_hold: holds == '1' => true
if holds == '1' then
  redis.call('HSET', flow, 'held', '1')
else
  -- guard judge_releases
  redis.call('HDEL', flow, 'held')
end
-- guard judge_news: without not bad[was] and
return {level, bad[level] and not bad[was] and 1 or 0}
