-- Whether so many others were seen with this identity that it does not tell a person apart.
-- include: call
local function is_shared(prefix, most) return call('ZCARD', prefix .. 'links') > tonumber(most) end
