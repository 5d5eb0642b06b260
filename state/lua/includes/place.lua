-- Return the number of thresholds of the grid that are shorter than a time (ms).
-- include: constants
local function place(ms)
  for number = 1, #GRID do if GRID[number] >= ms then return number - 1 end end
  return #GRID
end
