-- Return the number of thresholds of the grid that are shorter than a time (ms).
-- include: constants
local function place(ms)
  for number, threshold in ipairs(GRID) do if threshold >= ms then return number - 1 end end
  return #GRID
end
