#!lua flags=no-writes
-- Counts the contents of one partition for display; also works if the server is out of memory.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  number of days; ARGV[2...] the days (since 1970-01-01, local), then the names of the lanes
-- Returns  names and values: due, due_now, leased, dead and unknown: numbers of outreaches; first_due: when the first
--          one is due, and first_lease: when the first lease ends (ms; '' for none); lanes: for each lane that isn't
--          empty its index (from 0), how many wait, and the lowest score (ms); counters: names and numbers of those
--          days
-- include: clock, text
local prefix, days = KEYS[1], tonumber(ARGV[1])
local due, lanes, counters = prefix .. 'due', {}, {}
for i = 2 + days, #ARGV do
  local name = ARGV[i]
  local lane = prefix .. 'lane:' .. name
  local earliest = redis.call('ZRANGE', lane, '0', '0', 'WITHSCORES')[2]
  if earliest then
    lanes[#lanes + 1] = i - 2 - days
    lanes[#lanes + 1] = redis.call('ZCARD', lane)
    lanes[#lanes + 1] = earliest
  end
end
for i = 2, 1 + days do
  local day = ARGV[i]
  for _, item in ipairs(redis.call('HGETALL', prefix .. 'stats:' .. day)) do counters[#counters + 1] = item end
end
local function held(set) return redis.call('ZCARD', prefix .. set) end
local function first(set) return redis.call('ZRANGE', prefix .. set, '0', '0', 'WITHSCORES')[2] or '' end
return {
  'due', held('due'), 'due_now', redis.call('ZCOUNT', due, '-inf', text(clock())), 'first_due', first('due'),
  'leased', held('leased'), 'first_lease', first('leased'), 'dead', held('dead'), 'unknown', held('unknown'),
  'lanes', lanes, 'counters', counters,
}
