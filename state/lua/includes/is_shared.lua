-- Return whether this identity was seen with too many others to identify a person.
-- include: call
local function is_shared(prefix, most) return call('ZCARD', prefix .. 'links') > tonumber(most) end
