#!lua
-- Counts sessions that reach the checkout and orders, each once, in any order and however often they are reported.
-- KEYS[1]  prefix of the control keys
-- ARGV[1]  as JSON, all texts: sessions at the checkout, [session, when (ms), ...]; ARGV[2] orders in the same form (''
--          for an order without a session); a session is a number in place of its id
-- Returns  how many of the sessions are new
-- include: constants, clock, text
local checkouts_json, orders_json = ARGV[1], ARGV[2]
local prefix, now, kept, MOST = KEYS[1], clock(), 6 * HOUR, 100000
local seen, new = prefix .. 'checkouts', 0
local function bump(at, field, by)
  local key = prefix .. 'orders:' .. text(math.floor(at / DAY))
  if redis.call('HINCRBY', key, field, by) == by then redis.call('PEXPIRE', key, 15 * DAY) end
end
local function hour(at) return text(math.floor(at % DAY / HOUR)) end

local found, hours = cjson.decode(checkouts_json), {}
for i = 1, #found, 2 do
  -- guard orders_checkout_ahead: math.min(tonumber(found[i + 1]), now) => tonumber(found[i + 1])
  local at = math.min(tonumber(found[i + 1]), now)
  local add = hours[math.floor(at / HOUR)] or {}
  hours[math.floor(at / HOUR)] = add
  add[#add + 1] = text(at)
  add[#add + 1] = found[i]
end
for number, add in pairs(hours) do
  -- NX: a session that has ordered stays unchanged, too.
  -- guard orders_checkout_once: without 'NX',
  local added = redis.call('ZADD', seen, 'NX', unpack(add))
  if added > 0 then bump(number * HOUR, 'c' .. hour(number * HOUR), added) end
  new = new + added
end

local orders, last = cjson.decode(orders_json), 0
for i = 1, #orders, 2 do
  -- guard orders_ahead: math.min(tonumber(orders[i + 1]), now) => tonumber(orders[i + 1])
  local session, at = orders[i], math.min(tonumber(orders[i + 1]), now)
  local since = session ~= '' and tonumber(redis.call('ZSCORE', seen, session) or nil)
  -- guard orders_once: without and since > 0
  if since and since > 0 then
    bump(since, 'o' .. hour(since), 1)
    bump(since, 'd' .. text(math.floor(4 * math.log(math.max(1, at - since)) / math.log(2) + 1e-9)), 1)
  end
  -- guard orders_ordered: not (since and since < 0) => true
  if not (since and since < 0) then
    bump(at, 'a' .. hour(at), 1)
    -- A negative time: when it ordered.
    -- guard orders_before_checkout: text(-at), => text(at),
    if session ~= '' then redis.call('ZADD', seen, text(-at), session) end
  end
  last = math.max(last, at)
end
-- guard orders_latest: tonumber(redis.call('HGET', prefix .. 'orders', 'last') or 0) => 0
if last > tonumber(redis.call('HGET', prefix .. 'orders', 'last') or 0) then
  redis.call('HSET', prefix .. 'orders', 'last', text(last))
end
repeat
  -- guard orders_expire: redis.call('ZREMRANGEBYSCORE' => redis.call('ZCOUNT'
  redis.call('ZREMRANGEBYSCORE', seen, text(kept - now), text(now - kept))
  kept = kept / 2
until redis.call('ZCARD', seen) <= MOST
redis.call('PEXPIRE', seen, DAY)
return new
