-- Undo an end: its counts are subtracted, and the outreach is open again, in no set yet.
-- include: uncount
local function reopen_outreach(prefix, id)
  local key = prefix .. 'outreach:' .. id
  local state, session = unpack(redis.call('HMGET', key, 'state', 'session'))
  -- guard reopen_uncounts
  uncount(prefix, id)
  -- guard reopen_parked
  redis.call('ZREM', prefix .. state, id)
  if state == 'unknown' then
    local session_key, body = prefix .. 'session:' .. session, redis.call('HGET', prefix .. 'body:' .. id, 'body')
    -- A session that has expired in the meantime has lost its contacts.
    local contacts = tonumber(redis.call('HGET', session_key, 'contacts') or 0)
    -- guard reopen_contacts: redis.call('HINCRBY', session_key, 'contacts', -1) => text(0)
    -- guard reopen_contacts_floor: contacts > 0 => true
    if contacts > 0 then redis.call('HINCRBY', session_key, 'contacts', -1) end
    -- guard reopen_body
    if body then redis.call('HSET', key, 'body', body) end
    redis.call('DEL', prefix .. 'body:' .. id)
  end
  -- guard reopen_end
  redis.call('HDEL', key, 'ended_at', 'reason')
  -- guard reopen_persists
  redis.call('PERSIST', key)
end
