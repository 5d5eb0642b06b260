#!lua
-- Reserves a person for one attempt: the person's side of the fence. The contact is recorded with it.
-- KEYS[1]  prefix of the person
-- ARGV[1]  outreach; ARGV[2] our token; ARGV[3] how long it is kept (ms): the longest limit and a lease; ARGV[4] a
--          lease (ms); ARGV[5] channels that the request can use, separated by spaces; ARGV[6] number of links that
--          make an identity shared ('': this one never is); ARGV[7] value of the cart ('': unknown); ARGV[8] how long
--          the contact is kept (ms); ARGV[9] when it was taken (ms); then the limits: contacts, within (ms), ...
-- Returns  reserved | shared (the identity doesn't identify a person) | opted_out | bought | paying (a payment is in
--          progress) | refused (a channel) | lost (ours, by a later token) | held (by another, which can still end
--          without contact) | limited (a limit is reached)
-- include: answer_of, call, clock, is_refusal, is_shared, payment_until, remember_contact, reservations, text
local outreach, token, reservation_ttl_ms, lease_ms, channels, shared_from, worth, contact_ttl_ms, taken_at =
  ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8], ARGV[9]
local prefix, now, lease = KEYS[1], clock(), tonumber(lease_ms)
-- guard reserve_unshared: without shared_from ~= '' and
local shared = shared_from ~= '' and is_shared(prefix, shared_from)
-- For a shared address, only its own opt-out counts.
local sources = call('HKEYS', prefix .. 'opted_out')
-- guard reserve_opted_out: sources[1] and => false and
-- guard reserve_opt_out_linked: (shared and sources[1] => (sources[1]
-- guard reserve_opt_out_own: without sources[1] == 'linked' and
-- guard reserve_opt_out_both: without and not sources[2]
-- guard reserve_opt_out_of_others: not (shared and sources[1] == 'linked' and not sources[2]) => true
if sources[1] and not (shared and sources[1] == 'linked' and not sources[2]) then return 'opted_out' end
-- guard reserve_shared
if shared then return 'shared' end
-- guard reserve_bought: 0 => 2
-- guard reserve_bought_linked: without , prefix .. 'bought_linked'
if call('EXISTS', prefix .. 'bought', prefix .. 'bought_linked') > 0 then return 'bought' end
-- guard reserve_paying: payment_until(prefix, now) > 0 => false
if payment_until(prefix, now) > 0 then return 'paying' end
-- guard reserve_channels: string.gmatch(channels, => string.gmatch('call whatsapp',
for channel in string.gmatch(channels, '%S+') do
  -- guard reserve_refused: is_refusal(answer_of(prefix, channel)) => false
  if is_refusal(answer_of(prefix, channel)) then return 'refused' end
end

local key, ages, old = prefix .. 'reserved', {}, {}
local held = reservations(prefix, now)
for i = 1, #held, 2 do
  local current_token, at = string.match(held[i + 1], '^(%d+):(%d+)$')
  if held[i] == outreach then
    -- guard reserve_newest
    -- guard reserve_claim_number: tonumber(current_token) > tonumber(token) => current_token > token
    if tonumber(current_token) > tonumber(token) then return 'lost' end
  else
    -- guard reserve_waits
    if now - at < lease then return 'held' end
    ages[#ages + 1] = now - at
    if now - at >= tonumber(reservation_ttl_ms) then old[#old + 1] = held[i] end
  end
end
-- guard reserve_each_limit: #ARGV, => 10,
for i = 10, #ARGV, 2 do
  local most, period = ARGV[i], ARGV[i + 1]
  -- guard reserve_limit_lease: lease => 0
  local contacts, within = 0, period + lease
  for _, age in ipairs(ages) do
    -- guard reserve_limit_period: age < within => true
    if age < within then contacts = contacts + 1 end
  end
  -- guard reserve_limit
  -- guard reserve_limit_reached: >= => >
  -- guard reserve_limit_number: >= tonumber(most) => > 0
  if contacts >= tonumber(most) then return 'limited' end
end

-- guard reserve_old: call('HDEL', key, unpack(old)) => text(0)
if old[1] then call('HDEL', key, unpack(old)) end
call('HSET', key, outreach, token .. ':' .. text(now))
-- guard reserve_ttl
call('PEXPIRE', key, reservation_ttl_ms)
-- guard reserve_remembers
remember_contact(prefix, outreach, now, worth, contact_ttl_ms, taken_at)
return 'reserved'
