-- Short for string.sub; see call.lua.
local sub = string.sub
