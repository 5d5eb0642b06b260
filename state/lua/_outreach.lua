-- What several scripts do with an outreach: its history, the one way to end, the one way back into the outbox.
-- include: _clock

local function note(outreach_key, at, what)
  local history = redis.call('HGET', outreach_key, 'history') or ''
  redis.call('HSET', outreach_key, 'history', history .. text(at) .. ' ' .. what .. '\n')
end

local function outcome(state, reason)
  return reason == '' and state or state .. '.' .. reason
end

-- Once an attempt was ambiguous nobody can say any more that nothing was sent: it ends sent or unknown.
local function finish(prefix, id, state, reason, at)
  local key = prefix .. 'outreach:' .. id
  local known = redis.call('HMGET', key, 'session', 'ambiguous', 'body', 'first_sending')
  if known[2] and state ~= 'sent' and state ~= 'unknown' then
    state, reason = 'unknown', state
  end
  redis.call('HSET', key, 'state', state, 'reason', reason, 'ended_at', text(at))
  note(key, at, outcome(state, reason))
  redis.call('HDEL', key, 'body')
  -- Should a person decide to repeat it, it has to be with the same bytes, and while its key is still known.
  local until_ms = tonumber(known[4] or 0) + DAY
  if state == 'unknown' and known[3] and until_ms > at then
    redis.call('SET', prefix .. 'body:' .. id, known[3], 'PXAT', text(until_ms))
  end
  redis.call('PEXPIRE', key, OUTREACH_TTL)
  redis.call('ZREM', prefix .. 'due', id)
  redis.call('ZREM', prefix .. 'leased', id)
  if state == 'unknown' or state == 'dead' then
    redis.call('ZADD', prefix .. state, text(at), id)
  end
  count(prefix, at, outcome(state, reason), 1)
  if known[1] == '' then return state end -- forgotten while it was under way
  local session = prefix .. 'session:' .. known[1]
  local is = redis.call('HMGET', session, 'state', 'outreach', 'sending')
  if is[3] == id then redis.call('HDEL', session, 'sending') end
  if state == 'sent' or state == 'unknown' then redis.call('HINCRBY', session, 'contacts', 1) end
  -- A later outreach of the session may still be open.
  if is[1] ~= 'abandoned' or not is[2] or is[2] == id then redis.call('PEXPIRE', session, SESSION_TTL) end
  return state
end

local function give_back(prefix, id, due, at, why)
  local key = prefix .. 'outreach:' .. id
  redis.call('HSET', key, 'state', 'waiting', 'takes', 0)
  if why ~= '' then note(key, at, why) end
  redis.call('ZREM', prefix .. 'leased', id)
  redis.call('ZADD', prefix .. 'due', text(due), id)
end
