-- As math.floor; see call.lua.
local floor = math.floor
