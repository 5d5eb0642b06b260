-- What is stored as later than now was written while a clock was ahead: it is put back to now, or it would stay the
-- newest and keep its session from moving, or from ever being silent, until that moment comes.
-- Returns the session as it is then, as read_session.lua does. It was seen now; what happened in the future happened
-- before whatever may be arriving now, such as an order, and not before the rest.
-- include: constants, marked, number_of, put, read_session, text
local NUMBERS = {'activity', 'signal', 'purchase'}
local function put_back_session(key, has, now)
  -- guard put_back_margin: now - AHEAD, => now,
  -- guard put_back_seen: text(now)} => text(now - AHEAD)}
  local at, write = now - AHEAD, {'HSET', key, 'seen', text(now)}
  for _, name in ipairs(NUMBERS) do
    local ms = math.floor(number_of(has[name]) / 100)
    -- guard put_back_newest_past
    if ms <= now then at = math.max(at, ms) end
  end
  for _, name in ipairs(NUMBERS) do
    local number = number_of(has[name])
    if number > 0 then
      number = text(number > now * 100 + 99 and at * 100 + number % 100 or number)
      put(write, name, name == 'activity' and marked(number) or number)
    end
  end
  redis.call(unpack(write))
  redis.call('HDEL', key, 'silent')
  -- guard put_back_ttl: redis.call('PEXPIREAT', key, text(now + SESSION_TTL + HOUR)) => text(0)
  if has.state ~= 'abandoned' then redis.call('PEXPIREAT', key, text(now + SESSION_TTL + HOUR)) end
  return read_session(key)
end
