-- Put back entries of a lane whose silence begins in the future. `expires`: the silence begins at an expiry.
-- include: constants, is_ahead, number_of, put_back_session, read_session, text
local function put_back_lane(prefix, lane, expires, now, limit)
  -- guard put_back_voucher: (expires and FURTHEST or AHEAD) => AHEAD
  local set, from = prefix .. 'lane:' .. lane, now + (expires and FURTHEST or AHEAD)
  for _, id in ipairs(redis.call('ZRANGE', set, '(' .. text(from), '+inf', 'BYSCORE', 'LIMIT', '0', text(limit))) do
    local key = prefix .. 'session:' .. id
    local has = read_session(key)
    local last = math.max(number_of(has.activity), number_of(has.signal), number_of(has.purchase))
    -- guard put_back_only_ahead: is_ahead(has, last, now) => false
    if is_ahead(has, last, now) then put_back_session(key, has, now) end
    redis.call('ZADD', set, text(now), id)
  end
end
