#!lua
-- Counts sessions that reach the checkout and orders, each once, however often and in whatever order they are counted.
-- KEYS[1]  prefix of the control keys
-- ARGV[1]  as JSON, all texts: sessions at the checkout, [session, when (ms), ...]; ARGV[2] orders, likewise ('' for an
--          order without a session); sessions are given by a number that stands for their id
-- Returns  how many of the sessions are new
-- include: _clock
-- include: _flow
local prefix, now, HOUR, KEPT, MOST = KEYS[1], clock(), 3600000, 6 * 3600000, 100000
local seen, new = checkouts_of(prefix), 0
local function bump(at, field, by)
  local key = day_of(prefix, at)
  if redis.call('HINCRBY', key, field, by) == by then redis.call('PEXPIRE', key, 15 * DAY) end
end
local function hour(at) return text(math.floor(at % DAY / HOUR)) end

local found, hours = cjson.decode(ARGV[1]), {}
for i = 1, #found, 2 do
  local at = math.min(tonumber(found[i + 1]), now)
  local add = hours[math.floor(at / HOUR)] or {}
  hours[math.floor(at / HOUR)] = add
  add[#add + 1] = text(at)
  add[#add + 1] = found[i]
end
for number, add in pairs(hours) do
  -- NX: also one that has ordered stays as it is.
  local added = redis.call('ZADD', seen, 'NX', unpack(add))
  if added > 0 then bump(number * HOUR, 'c' .. hour(number * HOUR), added) end
  new = new + added
end

local orders, last = cjson.decode(ARGV[2]), 0
for i = 1, #orders, 2 do
  local session, at = orders[i], math.min(tonumber(orders[i + 1]), now)
  local since = session ~= '' and tonumber(redis.call('ZSCORE', seen, session) or nil)
  if since and since > 0 then
    bump(since, 'o' .. hour(since), 1)
    bump(since, 'd' .. text(math.floor(4 * math.log(math.max(1, at - since)) / math.log(2) + 1e-9)), 1)
  end
  if not (since and since < 0) then
    bump(at, 'a' .. hour(at), 1)
    -- A negative time: when it ordered.
    if session ~= '' then redis.call('ZADD', seen, text(-at), session) end
  end
  last = math.max(last, at)
end
if last > tonumber(redis.call('HGET', flow_of(prefix), 'last') or 0) then
  redis.call('HSET', flow_of(prefix), 'last', text(last))
end
repeat
  redis.call('ZREMRANGEBYSCORE', seen, text(KEPT - now), text(now - KEPT))
  KEPT = KEPT / 2
until redis.call('ZCARD', seen) <= MOST
redis.call('PEXPIRE', seen, DAY)
return new
