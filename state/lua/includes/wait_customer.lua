-- Keeps what a visitor's events say of the customer until a session begins, and then appends it to `reply`, to be sent
-- with that event: also with a repetition of it, as the first can have been lost. A later event removes it.
-- Erasure and key rotation read the set of visitors with such fields.
-- Words: see visitor.lua.
-- include: call, index_waiting, text
local function wait_customer(prefix, visitor, session, at, words, kept_ms, reply)
  local key = prefix .. 'visitor:' .. visitor
  local names, given_at = {}, tonumber(call('HGET', key, 'given') or nil)
  if not session then
    for i = 10, 9 + words, 2 do
      local field = 'customer.' .. ARGV[i]
      -- guard visitor_customer_newest: (call('HGET', key, field) or '') => ''
      if ARGV[i + 1] > (call('HGET', key, field) or '') then call('HSET', key, field, ARGV[i + 1]) end
    end
    -- guard waiting_kept: or call( => or false and call(
    if tonumber(words) > 0 or call('ZSCORE', prefix .. 'waiting', visitor) then
      index_waiting(prefix, visitor, kept_ms)
    end
    return
  end
  local fields = call('HGETALL', key)
  for i = 1, #fields, 2 do
    local name = string.match(fields[i], '^customer%.(.+)$')
    if name then
      names[#names + 1] = fields[i]
      reply[#reply + 1] = name
      reply[#reply + 1] = fields[i + 1]
    end
  end
  if not names[1] then return end
  -- guard visitor_customer_removed: given_at and at > given_at => false
  if given_at and at > given_at then
    call('HDEL', key, 'given', unpack(names))
    for i = #reply, 4, -1 do reply[i] = nil end
    -- guard waiting_removed
    call('ZREM', prefix .. 'waiting', visitor)
    return
  end
  if not given_at then call('HSET', key, 'given', text(at)) end
  -- guard waiting_given
  index_waiting(prefix, visitor, kept_ms)
end
