-- include: constants
local function stamp_of(value)
  local number = 0
  for _, digit in ipairs({string.byte(value, 1, STAMP_WIDTH)}) do
    number = number * 90 + digit - (digit > 92 and 36 or 35)
  end
  return number
end
