-- Count a silence for the thresholds from one place of the grid to below another, as a difference array: the sum of the
-- changes up to a place is the count there. `begin`, `rank`: see add_to_silences.lua; `by`: 1, or -1 to take it out.
-- include: add_to_silences, constants
local function count_range(prefix, how, begin, rank, what, from, to, by)
  if from >= to then return end
  add_to_silences(prefix, how, begin, rank, what .. '.' .. from, by)
  if to < #GRID then add_to_silences(prefix, how, begin, rank, what .. '.' .. to, -by) end
end
