#!lua
-- Marks a person: that they bought, opted out, or answered whether they may be contacted. Doing so again changes nothing,
-- and the order of the marks does not matter. A refusal is kept until it is taken back, and an approval for a time.
-- KEYS[1]  prefix of the person
-- ARGV[1]  '' when an event names this identity, 'linked' when another one that was seen with it
--          ARGV[2] when they bought (ms; ''); ARGV[3] for how long that counts (ms); ARGV[4] when they opted out (ms; '')
--          ARGV[5] how long approvals are kept (ms); ARGV[6] links from which on it is shared; then channel, answer, ...
-- Returns  the number of marks that are new, then the people that these marks are passed on to
-- include: _person
-- include: _consent
local prefix, linked, now, new = KEYS[1], ARGV[1] ~= '', clock(), 0

local at = tonumber(ARGV[2])
if at and at + ARGV[3] > now and not is_barred(prefix, at) then
  local key = prefix .. (linked and 'bought_linked' or 'bought')
  if tonumber(call('GET', key) or 0) < at then
    call('SET', key, ARGV[2], 'PXAT', text(at + ARGV[3]))
    new = new + 1
  end
end

if ARGV[4] ~= '' then
  local key, source = prefix .. 'opted_out', linked and 'linked' or 'shop'
  local known = call('HGET', key, source)
  if not known then new = new + 1 end
  if not known or tonumber(known) > tonumber(ARGV[4]) then call('HSET', key, source, ARGV[4]) end
end

local key, was = prefix .. 'consent', new
for i = 7, #ARGV, 2 do
  local name, answer = (linked and LINKED or '') .. ARGV[i], ARGV[i + 1]
  local known = call('HGET', key, name)
  -- An approval from before they were forgotten does not bring them back; a refusal is no reason to contact anybody.
  local barred = not is_refusal(answer) and is_barred(prefix, tonumber(string.sub(answer, 1, WHAT_AT - 1)))
  if not barred and (not known or answer > known) then
    call('HSET', key, name, answer)
    new = new + 1
  end
end
if new > was then
  local refused = false
  for _, answer in ipairs(call('HVALS', key)) do refused = refused or is_refusal(answer) end
  if refused then call('PERSIST', key) else call('PEXPIRE', key, ARGV[5]) end
end

if linked or is_shared(prefix, ARGV[6]) then return {new} end
return {new, unpack(call('ZRANGE', prefix .. 'links', '0', '-1'))}
