#!lua
-- Credits a contact with an order made within a window after it. Of several it keeps one (that whose value is known best,
-- of those the first), so that orders may come in any sequence and any number of times.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  outreach; ARGV[2] the order, as in _order.lua; ARGV[3] the window (ms)
-- Returns  1 when the contact has this order now, 0 when it does not count, or another one does
-- include: _outreach
local prefix, id, order = KEYS[1], ARGV[1], ARGV[2]
local key, made_at = prefix .. 'outreach:' .. id, tonumber(string.sub(ARGV[2], 2, 16))
local has = redis.call('HMGET', key, 'state', 'lane', 'contacted_at', 'order')
local contacted_at, known = has[3] and tonumber(has[3]), has[4]
if not contacted_at or made_at < contacted_at or made_at > contacted_at + ARGV[3] then return 0 end
if known and known <= order then return 0 end
if known then count_order(prefix, has[1], has[2], contacted_at, known, -1) end
count_order(prefix, has[1], has[2], contacted_at, order, 1)
redis.call('HSET', key, 'order', order)
return 1
