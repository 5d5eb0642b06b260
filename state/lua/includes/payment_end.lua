-- When a payment ends and when its event occurred (ms), of a field of `payment`; see payment_until.
-- include: constants
local function payment_end(name, value)
  local first, second = tonumber(string.sub(value, 1, ANSWER_DIGITS)), tonumber(string.sub(value, ANSWER_DIGITS + 1))
  if name == 'stated' then return first, second end
  return second, first
end
