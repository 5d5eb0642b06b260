-- Return the stored fields that move a session, by name.
-- include: fields
local function read_session(key) return fields(key, 'activity', 'signal', 'purchase', 'silent', 'state', 'seen') end
