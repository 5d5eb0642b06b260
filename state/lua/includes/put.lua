-- Append a name and a value to a command under construction.
local function put(command, name, value)
  command[#command + 1] = name
  command[#command + 1] = value
end
