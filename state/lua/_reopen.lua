-- Takes an end back: what it counted is counted back, and the outreach is open again, in no set yet.
local function reopen(prefix, id)
  local key = prefix .. 'outreach:' .. id
  local has = redis.call('HMGET', key, 'state', 'session')
  uncount(prefix, id)
  redis.call('ZREM', prefix .. has[1], id)
  if has[1] == 'unknown' then
    local session, body = prefix .. 'session:' .. has[2], redis.call('HGET', prefix .. 'body:' .. id, 'body')
    -- A session that has expired meanwhile has lost its contacts with it.
    if tonumber(redis.call('HGET', session, 'contacts') or 0) > 0 then redis.call('HINCRBY', session, 'contacts', -1) end
    if body then redis.call('HSET', key, 'body', body) end
    redis.call('DEL', prefix .. 'body:' .. id)
  end
  redis.call('HDEL', key, 'ended_at', 'reason')
  redis.call('PERSIST', key)
end
