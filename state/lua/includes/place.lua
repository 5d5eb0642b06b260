-- Return the number of thresholds of the grid that are shorter than a time (ms).
local function place(how, ms)
  local number = 0
  while number < #how.grid and how.grid[number + 1] < ms do number = number + 1 end
  return number
end
