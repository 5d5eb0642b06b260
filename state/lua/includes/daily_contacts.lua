-- The key of the contacts of a day.
local function daily_contacts(prefix, day) return prefix .. 'contacts:' .. day end
