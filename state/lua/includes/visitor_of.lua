-- Returns the visitor of an event. A user is the visitor last seen with them; without a visitor, the user is one.
-- include: call
local function visitor_of(prefix, visitor, user, kept_ms)
  if user == '' then return visitor end
  local of_user = prefix .. 'user:' .. user
  -- guard visitor_of_user: call('GET', of_user) or => false or
  if visitor == '' then return call('GET', of_user) or user end
  call('SET', of_user, visitor, 'PX', kept_ms)
  return visitor
end
