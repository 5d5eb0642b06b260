#!lua
-- Credits a contact with an order made within a window after it. Of several orders it keeps one: the one with the best
-- known value, and of those the first. So they can arrive in any order and any number of times.
-- KEYS[1]  prefix of the partition
-- ARGV[1]  outreach; ARGV[2] the order, as in count_order.lua; ARGV[3] the window (ms)
-- Returns  1 if the contact has this order now; 0 if it doesn't count, or another one does
-- include: clock, count_order, publish
local outreach, order, window_ms = ARGV[1], ARGV[2], ARGV[3]
local prefix = KEYS[1]
local key, made_at = prefix .. 'outreach:' .. outreach, tonumber(string.sub(order, 2, 16))
local state, lane, contacted_text, known, session, last =
  unpack(redis.call('HMGET', key, 'state', 'lane', 'contacted_at', 'order', 'session', 'last'))
local contacted_at = contacted_text and tonumber(contacted_text)
-- guard credit_after_contact: without made_at < contacted_at or
-- guard credit_window: without or made_at > contacted_at + window_ms
-- guard credit_contacted: not contacted_at or made_at < contacted_at => made_at < (contacted_at or 0)
if not contacted_at or made_at < contacted_at or made_at > contacted_at + window_ms then return 0 end
-- guard credit_better: without and known <= order
-- guard credit_first
if known and known <= order then return 0 end
-- guard credit_replaces
if known then count_order(prefix, state, lane, contacted_at, known, -1) end
count_order(prefix, state, lane, contacted_at, order, 1)
-- guard credit_noted
redis.call('HSET', key, 'order', order)
-- guard credit_publishes: state == 'sent' => false
-- guard credit_publishes_sent: state == 'sent' => true
if state == 'sent' then
  publish(prefix, outreach, 'recovered', '', clock(), session, lane, last, contacted_at, order)
end
return 1
