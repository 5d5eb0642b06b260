-- The time of a call of apply.lua, asked for once and only where it is needed: most calls do without.
-- include: clock
local function batch_time(batch)
  batch.now = batch.now or clock()
  return batch.now
end
