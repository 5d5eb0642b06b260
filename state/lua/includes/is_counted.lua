-- Return whether a session's silence counts: it has the required fields, no emptied cart, and a cart where the stage
-- needs one. `rank`: of its last activity.
-- include: constants
local function is_counted(key, how, rank)
  local found = redis.call('HMGET', key, 'cart', unpack(how.required))
  -- guard silence_emptied: without found[1] and #found[1] <= STAMP_WIDTH or
  -- guard silence_needs_cart: without or not found[1] and how.needs_cart[rank + 1]
  if found[1] and #found[1] <= STAMP_WIDTH or not found[1] and how.needs_cart[rank + 1] then return false end
  -- guard silence_reachable: not found[i] or #found[i] <= STAMP_WIDTH => false
  for i = 2, #how.required + 1 do if not found[i] or #found[i] <= STAMP_WIDTH then return false end end
  return true
end
