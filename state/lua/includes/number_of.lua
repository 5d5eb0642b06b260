-- Return the number of a stored activity, marked or not; 0 for none.
local function number_of(stored) return stored and tonumber(string.match(stored, '%d+')) or 0 end
