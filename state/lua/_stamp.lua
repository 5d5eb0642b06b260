-- What a stored field begins with: when its event was, as a number of eight digits to base 90 (see `stamped` in session.py).
local STAMP_WIDTH = 8

local function stamp_of(value)
  local number = 0
  for _, digit in ipairs({string.byte(value, 1, STAMP_WIDTH)}) do
    number = number * 90 + digit - (digit > 92 and 36 or 35)
  end
  return number
end
