#!lua
-- Records the last requests that collectors accepted and refused, by source. Refusals after a long pause count from one
-- again. Sources that have sent nothing for long are forgotten.
-- KEYS[1]  hash of deliveries
-- ARGV[1]  the pause after which refusals count from one again (ms); ARGV[2] how long a source is remembered (ms)
--          then for each source: its name, what its last accepted request became ('': none was accepted), the number of
--          refused requests, and the cause of the last one
-- Returns  nothing
-- include: clock, text
local key, pause_ms, remembered_ms, now = KEYS[1], tonumber(ARGV[1]), ARGV[2], clock()
for i = 3, #ARGV, 4 do
  local source, became, refusals, cause = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2]), ARGV[i + 3]
  if became ~= '' then redis.call('HSET', key, source .. ' accepted', text(now) .. ' ' .. became) end
  if refusals > 0 then
    local field, count, since = source .. ' refused', refusals, now
    local known = redis.call('HGET', key, field) or ''
    local last, first, before = string.match(known, '^(%d+) (%d+) (%d+)')
    -- guard delivery_pause: now - tonumber(last) <= pause_ms => true
    if last and now - tonumber(last) <= pause_ms then
      count, since = refusals + tonumber(before), tonumber(first)
    end
    redis.call('HSET', key, field, text(now) .. ' ' .. text(since) .. ' ' .. text(count) .. ' ' .. cause)
  end
end
local known = redis.call('HGETALL', key)
for i = 1, #known, 2 do
  local last = tonumber(string.match(known[i + 1], '^%d+') or 0)
  -- guard delivery_forgets: now - last > tonumber(remembered_ms) => false
  if now - last > tonumber(remembered_ms) then redis.call('HDEL', key, known[i]) end
end
-- guard delivery_ttl
redis.call('PEXPIRE', key, remembered_ms)
