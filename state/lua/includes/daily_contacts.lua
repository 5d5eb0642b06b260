-- Return the key of the contacts of a day.
local function daily_contacts(prefix, day) return prefix .. 'daily_contacts:' .. day end
