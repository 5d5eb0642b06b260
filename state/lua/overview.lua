#!lua flags=no-writes
-- Counts what one partition holds, for people to look at; works on a full server too.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  number of days; ARGV[2...] the days (since 1970-01-01), then the names of the lanes
-- Returns  {due, of them due now, when the first is due (ms; '' for none), leased, dead, unknown,
--          flat: place of each lane that has anybody (from 0) and how many, flat: all counters of those days}
-- include: _clock
local prefix, days = KEYS[1], tonumber(ARGV[1])
local due, lanes, counters = prefix .. 'due', {}, {}
local first = redis.call('ZRANGE', due, '0', '0', 'WITHSCORES')
for i = 2 + days, #ARGV do
  local waiting = redis.call('ZCARD', prefix .. 'lane:' .. ARGV[i])
  if waiting > 0 then
    lanes[#lanes + 1] = i - 2 - days
    lanes[#lanes + 1] = waiting
  end
end
for i = 2, 1 + days do
  for _, item in ipairs(redis.call('HGETALL', prefix .. 'stats:' .. ARGV[i])) do counters[#counters + 1] = item end
end
local function held(set) return redis.call('ZCARD', prefix .. set) end
return {held('due'), redis.call('ZCOUNT', due, '-inf', text(clock())), first[2] or '', held('leased'), held('dead'),
        held('unknown'), lanes, counters}
