-- Return the time of a call of apply.lua, read once and only if needed: most calls don't need it.
-- include: clock
local function batch_time(batch)
  batch.now = batch.now or clock()
  return batch.now
end
