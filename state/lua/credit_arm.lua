#!lua
-- Credits the arm of an outreach with an order made within a window after the assignment, whether or not its person was
-- contacted. Of several orders it keeps one: the one with the best known value, and of those the first.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  outreach; ARGV[2] the order, as in count_order.lua; ARGV[3] the window (ms)
-- Returns  1 if the arm has this order now; 0 if it doesn't count, or another one does
-- include: count, where
local outreach, order, window_ms = ARGV[1], ARGV[2], ARGV[3]
local prefix = KEYS[1]
local key, made_at = prefix .. 'outreach:' .. outreach, tonumber(string.sub(order, 2, 16))
local arm, lane, assigned_text, known = unpack(redis.call('HMGET', key, 'arm', 'lane', 'assigned_at', 'arm_order'))
local assigned_at = tonumber(assigned_text or '')
-- guard credit_arm_after: without made_at < assigned_at or
-- guard credit_arm_window: without or made_at > assigned_at + window_ms
if not assigned_at or made_at < assigned_at or made_at > assigned_at + window_ms then return 0 end
-- guard credit_arm_better: without and known <= order
if known and known <= order then return 0 end
local function add(one, by)
  local currency, units = string.match(one, ' (%S+) (%d+)$')
  count(prefix, assigned_at, 'arm.' .. arm .. '.orders' .. where(lane), by)
  count(prefix, assigned_at, 'arm.' .. arm .. '.' .. currency .. where(lane), by * units)
end
-- guard credit_arm_replaces: without if known then add(known, -1) end
if known then add(known, -1) end
add(order, 1)
-- guard credit_arm_noted
redis.call('HSET', key, 'arm_order', order)
return 1
