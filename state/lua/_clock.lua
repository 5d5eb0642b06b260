-- The clock and the counters. Times are Unix ms of the server, as numbers; `text` writes them without an exponent.
local DAY, OUTREACH_TTL, SESSION_TTL, STATS_TTL = 86400000, 30 * 86400000, 7 * 86400000, 400 * 86400000

local function text(number) return string.format('%.0f', number) end

local function clock()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Where in the shop, by the name of a lane: counters end with it, as in `sent@checkout.web`; '' when that is not known.
local function where(lane)
  local place = lane and string.match(lane, '^[^.]+%.[^.]+')
  return place and '@' .. place or ''
end

local function count(prefix, at, field, by)
  local key = prefix .. 'stats:' .. text(math.floor(at / DAY))
  if redis.call('HINCRBY', key, field, by) == by then redis.call('PEXPIRE', key, STATS_TTL) end
end
