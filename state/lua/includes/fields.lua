-- Return fields of a hash by name; false for a missing one.
-- include: call
local function fields(key, ...)
  local names, found = {...}, {}
  for index, value in ipairs(call('HMGET', key, ...)) do found[names[index]] = value end
  return found
end
