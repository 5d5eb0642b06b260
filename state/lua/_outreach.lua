-- What several scripts do with an outreach: its history, the one way to end, the one way back into the outbox.
-- include: _clock
-- include: _order

-- An outreach can be postponed any number of times. What is longer than this keeps how it began and its latest lines.
local MOST_HISTORY, BEGINNING, LATEST = 16384, 1024, 8192

local function note(outreach_key, at, what)
  local history = (redis.call('HGET', outreach_key, 'history') or '') .. text(at) .. ' ' .. what .. '\n'
  if #history > MOST_HISTORY then
    local head = string.match(string.sub(history, 1, BEGINNING), '^.*\n') or ''
    local tail = string.match(string.sub(history, -LATEST), '\n(.*)$') or ''
    history = head .. text(at) .. ' (lines left out)\n' .. tail
  end
  redis.call('HSET', outreach_key, 'history', history)
end

local function outcome(state, reason)
  return reason == '' and state or state .. '.' .. reason
end

-- Takes an outreach's end out of the counters again, when it turns out to have been another.
local function uncount(prefix, id)
  local was = redis.call('HMGET', prefix .. 'outreach:' .. id, 'state', 'reason', 'ended_at', 'contacted_at', 'lane')
  count(prefix, tonumber(was[4] or was[3]), outcome(was[1], was[2]) .. where(was[5]), -1)
end

-- Once an attempt was ambiguous nobody can say any more that nothing was sent: it ends sent or unknown.
local function finish(prefix, id, state, reason, at)
  local key = prefix .. 'outreach:' .. id
  local known = redis.call('HMGET', key, 'session', 'ambiguous', 'lane', 'contacted_at', 'order', 'body', 'first_sending')
  if known[2] and state ~= 'sent' and state ~= 'unknown' then
    state, reason = 'unknown', state
  end
  redis.call('HSET', key, 'state', state, 'reason', reason, 'ended_at', text(at))
  -- What is measured: contacts, those held out to compare with, and what may yet turn out to have been a contact.
  local measured = state == 'sent' or state == 'unknown' or outcome(state, reason) == 'suppressed.holdout'
  local counted_at = measured and tonumber(known[4] or at) or at
  if measured then
    redis.call('HSET', key, 'contacted_at', text(counted_at))
  elseif known[4] then
    redis.call('HDEL', key, 'contacted_at', 'order')
  end
  note(key, at, outcome(state, reason))
  redis.call('HDEL', key, 'body')
  -- Should a person decide to repeat it, it has to be with the same bytes, and while its key is still known.
  local until_ms = tonumber(known[7] or 0) + DAY
  if state == 'unknown' and known[6] and until_ms > at then
    redis.call('HSET', prefix .. 'body:' .. id, 'body', known[6])
    redis.call('PEXPIREAT', prefix .. 'body:' .. id, text(until_ms))
  end
  redis.call('PEXPIRE', key, OUTREACH_TTL)
  redis.call('ZREM', prefix .. 'due', id)
  redis.call('ZREM', prefix .. 'leased', id)
  if state == 'unknown' or state == 'dead' then
    redis.call('ZADD', prefix .. state, text(at), id)
  end
  count(prefix, counted_at, outcome(state, reason) .. where(known[3]), 1)
  if measured and known[5] then count_order(prefix, state, known[3], counted_at, known[5], 1) end
  if known[1] == '' then return state end -- forgotten while it was under way
  local session = prefix .. 'session:' .. known[1]
  local is = redis.call('HMGET', session, 'state', 'outreach', 'sending')
  if is[3] == id then redis.call('HDEL', session, 'sending') end
  -- Who is held out counts as contacted: otherwise the groups could not be compared.
  if measured then
    redis.call('HINCRBY', session, 'contacts', 1)
    redis.call('HSET', session, 'contacted', id)
  end
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
