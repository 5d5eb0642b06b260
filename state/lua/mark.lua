#!lua
-- Marks a person: a purchase, a payment in progress, an opt-out, or answers about contacts. Safe to repeat, in any
-- order. A refusal is kept until it is withdrawn, an approval for a limited time.
-- KEYS[1]  prefix of the person
-- ARGV[1]  '' if an event names this identity, 'linked' if it names another one that was seen with it
--          ARGV[2] time of the purchase (ms; ''); ARGV[3] how long it counts (ms); ARGV[4] time of the opt-out (ms; '')
--          ARGV[5] how long approvals are kept (ms); ARGV[6] number of links that make it shared; ARGV[7] a payment's
--          stated expiry and ARGV[8] the latest payment, as payment_until has them (''); then channel, answer, ...
-- Returns  the number of new marks, then the people that these marks are passed on to
-- include: constants, call, clock, is_erased, is_refusal, is_shared, mark_payment, text
local relation, bought_at, bought_ms, opted_out_at, answer_ms, shared_from, stated, latest =
  ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8]
local prefix, linked, now, new = KEYS[1], relation ~= '', clock(), 0

local at = tonumber(bought_at)
-- guard mark_window: without at + bought_ms > now and
if at and at + bought_ms > now and not is_erased(prefix, at) then
  -- guard mark_bought_linked: without linked and 'bought_linked' or
  local key = prefix .. (linked and 'bought_linked' or 'bought')
  -- guard mark_bought_latest: tonumber(call('GET', key) or 0) < at => true
  if tonumber(call('GET', key) or 0) < at then
    call('SET', key, bought_at, 'PXAT', text(at + bought_ms))
    new = new + 1
  end
end

if opted_out_at ~= '' then
  -- guard mark_opt_out_linked: without linked and 'linked' or
  local key, source = prefix .. 'opted_out', linked and 'linked' or 'shop'
  local known = call('HGET', key, source)
  if not known then new = new + 1 end
  -- guard mark_opt_out_first: > => <
  if not known or tonumber(known) > tonumber(opted_out_at) then call('HSET', key, source, opted_out_at) end
end

-- guard mark_payment_linked: linked and LINKED or '' => ''
local payment_relation = linked and LINKED or ''
if stated ~= '' then new = new + mark_payment(prefix, payment_relation, 'stated', stated) end
if latest ~= '' then new = new + mark_payment(prefix, payment_relation, 'latest', latest) end

local key, was = prefix .. 'consent', new
for i = 9, #ARGV, 2 do
  local channel, answer = ARGV[i], ARGV[i + 1]
  -- guard mark_answer_linked: (linked and LINKED or '') => ''
  local name = (linked and LINKED or '') .. channel
  local known = call('HGET', key, name)
  -- An approval from before an erasure doesn't restore the person. A refusal never leads to a contact, so it may.
  -- guard mark_refusal_unbarred: without not is_refusal(answer) and
  -- guard bars: not is_refusal(answer) => false
  local is_replay = not is_refusal(answer) and is_erased(prefix, tonumber(string.sub(answer, 1, ANSWER_DIGITS)))
  -- guard mark_answer_first: without or answer > known
  -- guard mark_answer_latest: not known or answer > known => true
  if not is_replay and (not known or answer > known) then
    call('HSET', key, name, answer)
    new = new + 1
  end
end
if new > was then
  local refused = false
  for _, answer in ipairs(call('HVALS', key)) do refused = refused or is_refusal(answer) end
  -- guard mark_refusal_persists: if refused then call('PERSIST', key) else => do
  -- guard mark_answer_ttl: without else call('PEXPIRE', key, answer_ms)
  if refused then call('PERSIST', key) else call('PEXPIRE', key, answer_ms) end
end

-- guard mark_shared: without or is_shared(prefix, shared_from)
if linked or is_shared(prefix, shared_from) then return {new} end
-- guard links: {new, unpack(call('ZRANGE', prefix .. 'links', '0', '-1'))} => {new}
return {new, unpack(call('ZRANGE', prefix .. 'links', '0', '-1'))}
