-- What is stored as later than now was written while a clock was ahead: it is put back to now, or it would stay the newest
-- and keep its session from moving, or from ever being silent, until that moment comes.
-- include: _lane
local AHEAD, FURTHEST = 120000, 31 * 86400000 -- so far ahead may clocks be of each other, and a voucher's expiry

-- Whether one of a session's times is later than it can be. `has`: as `move` has it; `last`: its greatest number.
local function is_ahead(has, last, now)
  return last > (now + AHEAD) * 100 or tonumber(has[6] or 0) > now + AHEAD or tonumber(has[4] or 0) > now + FURTHEST
end

-- Returns the session as it is then: activity, signal, purchase, silent, state and seen. It was seen now; what happened in
-- the future happened before whatever may be arriving now, such as an order, and not before the rest.
local function put_back(key, has, now)
  local at, write = now - AHEAD, {'HSET', key, 'seen', text(now)}
  for place = 1, 3 do
    local ms = math.floor(number_of(has[place]) / 100)
    if ms <= now then at = math.max(at, ms) end
  end
  for place, name in ipairs({'activity', 'signal', 'purchase'}) do
    local number = number_of(has[place])
    if number > 0 then
      number = text(number > now * 100 + 99 and at * 100 + number % 100 or number)
      write[#write + 1] = name
      write[#write + 1] = name == 'activity' and marked(number) or number
    end
  end
  redis.call(unpack(write))
  redis.call('HDEL', key, 'silent')
  if has[5] ~= 'abandoned' then redis.call('PEXPIREAT', key, text(now + SESSION_TTL + 3600000)) end
  return redis.call('HMGET', key, 'activity', 'signal', 'purchase', 'silent', 'state', 'seen')
end

-- Puts back what stands in a lane as silent from a moment in the future on. `expires`: its silence begins at an expiry.
local function put_back_all(prefix, lane, expires, now, limit)
  local set, from = prefix .. 'lane:' .. lane, now + (expires and FURTHEST or AHEAD)
  for _, id in ipairs(redis.call('ZRANGE', set, '(' .. text(from), '+inf', 'BYSCORE', 'LIMIT', '0', text(limit))) do
    local key = prefix .. 'session:' .. id
    local has = redis.call('HMGET', key, 'activity', 'signal', 'purchase', 'silent', 'state', 'seen')
    local last = math.max(number_of(has[1]), number_of(has[2]), number_of(has[3]))
    if is_ahead(has, last, now) then put_back(key, has, now) end
    redis.call('ZADD', set, text(now), id)
  end
end
