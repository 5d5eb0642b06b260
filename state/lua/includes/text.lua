-- Return a whole number as text, without an exponent.
local function text(number) return string.format('%.0f', number) end
