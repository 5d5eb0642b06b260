-- Short for math.max; see call.lua.
local max = math.max
