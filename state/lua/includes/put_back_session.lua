-- Put stored times in the future back to now: they were written while a clock was ahead. Otherwise they would stay the
-- newest, and keep the session from moving or from ever being silent until that time.
-- Returns the resulting session, as read_session.lua does. It was seen now. Its future events count as before any event
-- that can be arriving now, such as an order, and not before its other events.
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
