-- Append a name and a value to an unfinished command.
local function put(command, name, value) command[#command + 1], command[#command + 2] = name, value end
