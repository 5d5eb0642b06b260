#!lua flags=allow-oom
-- Records how a request went, and so stops all sending, lets it go on, or leaves it as it is.
-- KEYS[1]  prefix of the control keys
-- ARGV[1]  outreach; ARGV[2] works | failing | refused; ARGV[3] why; ARGV[4] failures in a row that stop it (0: none do)
--          ARGV[5] first pause (ms); ARGV[6] longest pause (ms); ARGV[7] pause that the reply asks for (ms; 0: none)
-- Returns  nothing
-- include: _sending
local key, went, asked, now = KEYS[1] .. 'sending', ARGV[2], tonumber(ARGV[7]), clock()
local is = redis.call('HMGET', key, 'stopped', 'probe', 'tries', 'failures')
if is[1] and is[2] ~= ARGV[1] then return end -- it began before sending was stopped, or its turn is over
if went == 'works' then
  if is[1] or is[4] then
    redis.call('HDEL', key, 'stopped', 'why', 'since', 'retry_at', 'probe', 'tries', 'failures')
  end
  return
end
if went == 'failing' and not is[1] then
  if ARGV[4] == '0' then return end
  local failures = redis.call('HINCRBY', key, 'failures', 1)
  if failures < tonumber(ARGV[4]) and asked <= 0 then return end
end
-- Refused keys are tried at an even pace; what fails, at ever longer intervals.
local tries = went == 'refused' and 0 or tonumber(is[3] or 0) + 1
local pause = ARGV[5] * 2 ^ math.min(math.max(tries - 1, 0), 30)
if went == 'failing' then
  -- What the server asks for takes the place of the first pause, also when it is shorter.
  if asked > 0 then pause = math.max(asked, pause / ARGV[5] * math.min(asked, ARGV[5])) end
  pause = math.min(pause, tonumber(ARGV[6]))
end
redis.call('HSETNX', key, 'since', text(now))
redis.call('HSET', key, 'stopped', went, 'why', ARGV[3], 'tries', text(tries), 'probe', '', 'retry_at', text(now + pause))
redis.call('HDEL', key, 'failures')
