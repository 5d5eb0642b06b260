#!lua
-- Reserves a person for one attempt: the person's side of the fence. Whom it may reach is remembered with it.
-- KEYS[1]  prefix of the person
-- ARGV[1]  outreach; ARGV[2] our claim; ARGV[3] how long it is remembered (ms): the longest limit and a lease; ARGV[4] a
--          lease (ms); ARGV[5] channels that the request may use, a space between; ARGV[6] links from which on an identity
--          is shared ('': this one never is); ARGV[7] what the cart is worth ('': not known); ARGV[8] how long the contact
--          is remembered (ms); ARGV[9] when it was taken (ms); then the limits: contacts, within (ms), ...
-- Returns  reserved | shared (the identity tells nobody apart) | opted_out | bought | refused (a channel) | lost (ours, by a
--          later claim) | held (by another, which may still end without contact) | capped (a limit is reached)
-- include: _person
-- include: _consent
-- include: _remember
-- include: _held
local prefix, id, now, lease = KEYS[1], ARGV[1], clock(), tonumber(ARGV[4])
local shared = ARGV[6] ~= '' and is_shared(prefix, ARGV[6])
-- Of what marks a shared address, only what was said by that very address counts.
local sources = call('HKEYS', prefix .. 'opted_out')
if sources[1] and not (shared and sources[1] == 'linked' and not sources[2]) then return 'opted_out' end
if shared then return 'shared' end
if call('EXISTS', prefix .. 'bought', prefix .. 'bought_linked') > 0 then return 'bought' end
for channel in string.gmatch(ARGV[5], '%S+') do
  if is_refusal(answer_of(prefix, channel)) then return 'refused' end
end

local key, ages, old = prefix .. 'reserved', {}, {}
local held = held_by(prefix, now)
for i = 1, #held, 2 do
  local claim, at = string.match(held[i + 1], '^(%d+):(%d+)$')
  if held[i] == id then
    if tonumber(claim) > tonumber(ARGV[2]) then return 'lost' end
  else
    if now - at < lease then return 'held' end
    ages[#ages + 1] = now - at
    if now - at >= tonumber(ARGV[3]) then old[#old + 1] = held[i] end
  end
end
for i = 10, #ARGV, 2 do
  local contacts, within = 0, ARGV[i + 1] + lease
  for _, age in ipairs(ages) do
    if age < within then contacts = contacts + 1 end
  end
  if contacts >= tonumber(ARGV[i]) then return 'capped' end
end

if old[1] then call('HDEL', key, unpack(old)) end
call('HSET', key, id, ARGV[2] .. ':' .. text(now))
call('PEXPIRE', key, ARGV[3])
remember(prefix, id, now, ARGV[7], ARGV[8], ARGV[9])
return 'reserved'
