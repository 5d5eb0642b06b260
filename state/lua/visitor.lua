#!lua
-- Finds the session of a visitor for one event of a source that has no session ids, and notes what the event says.
-- Events can be repeated and arrive in any order.
-- KEYS[1]  prefix of the source
-- ARGV[1]  visitor, ARGV[2] user ('': not known); ARGV[3] when the event occurred (ms); ARGV[4] '1' for an order
--          ARGV[5] name of a session that begins with this event; ARGV[6] '1' when it can begin one; ARGV[7] where in
--          the flow it happened ('': nowhere); ARGV[8] for how long all is kept (ms); ARGV[9] how many words follow
--          about the customer: field, stamped value, ... (of two values the higher text wins); after these, tags of the
--          cart, the checkout and the order that it names
-- Returns  session ('' for none), the session that it continues (''), where in the flow the visitor was last (''), then
--          what waited for the session to begin, of the customer: field, stamped value, ...
-- include: call, ended_at, note_order, note_use, visitor_of, visitor_state, wait_customer
local visitor, user, occurred, is_order, name, begins, place, kept_ms, said =
  ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8], ARGV[9]
local prefix, at, first_tag = KEYS[1], tonumber(occurred), 10 + said

visitor = visitor_of(prefix, visitor, user, kept_ms)
local key, current, ordered, before, last = prefix .. 'visitor:' .. visitor, nil, nil, nil, nil
if visitor ~= '' then current, ordered, before, last = visitor_state(prefix, key) end
-- What occurred before the last order belongs to the session that ended with it.
-- guard visitor_late: at <= tonumber(ordered) => false
local is_late = ordered and at <= tonumber(ordered)

local session, continues, is_over
for i = first_tag, #ARGV do session = session or call('GET', prefix .. 'alias:' .. ARGV[i]) end
if session and is_order == '' then
  -- guard visitor_uses_cart
  if string.find(place, '^cart_review') then note_use(prefix, session, occurred, kept_ms) end
  -- guard visitor_over: ended_at(prefix, session) => nil
  local ended = ended_at(prefix, session)
  -- guard visitor_over_later: at > tonumber(ended) => true
  is_over = ended and at > tonumber(ended)
end
if not session then
  session = is_late and before or not is_late and current
-- guard visitor_continues: current ~= session and => false and
elseif current and current ~= session and not is_late and not is_over then
  continues = current
end
if not session and begins ~= '' then session = name end
if session then
  -- guard visitor_alias
  for i = first_tag, #ARGV do call('SET', prefix .. 'alias:' .. ARGV[i], session, 'PX', kept_ms) end
end
if session and is_order ~= '' then
  -- guard visitor_order
  note_order(prefix, session, occurred, kept_ms)
  -- An order without a visitor has a session of its own, in addition to the one that its ids name.
  -- guard visitor_order_named
  if visitor == '' and begins ~= '' and name ~= session then note_order(prefix, name, occurred, kept_ms) end
end
if visitor == '' then return {session or '', '', ''} end

if session and not is_late and not is_over then
  call('HSET', key, 'session', session)
  if place ~= '' then
    last = place
    call('HSET', key, 'place', place)
  end
end
local reply = {session or '', continues or '', last or ''}
wait_customer(prefix, visitor, session, at, said, kept_ms, reply)
-- guard visitor_kept
call('PEXPIRE', key, kept_ms)
return reply
