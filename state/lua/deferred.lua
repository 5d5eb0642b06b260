#!lua flags=no-writes
-- Reads why outreaches are due later, of those that are due first.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  number of outreaches at most
-- Returns  of each: when it is due (ms), and the first word of the last line of its history
-- include: clock, text
local prefix, most = KEYS[1], ARGV[1]
local due, after = prefix .. 'due', '(' .. text(clock())
local later = redis.call('ZRANGE', due, after, '+inf', 'BYSCORE', 'LIMIT', '0', most, 'WITHSCORES')
local found = {}
for i = 1, #later, 2 do
  -- The rest of a line can quote a reply, which can be personal.
  local history = '\n' .. (redis.call('HGET', prefix .. 'outreach:' .. later[i], 'history') or '')
  found[#found + 1] = later[i + 1]
  found[#found + 1] = string.match(history, '\n%d+ (%S+)[^\n]*\n$') or ''
end
return found
