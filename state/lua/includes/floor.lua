-- Short for math.floor; see call.lua.
local floor = math.floor
