-- Return whether a session's silence counts, from its fields: name, phone, and cart. It must be reachable, with a cart
-- where the stage needs one, and without an emptied one. `rank`: of its last activity.
-- include: constants
local function is_counted(how, rank, name, phone, cart)
  local needs_cart = string.sub(how.needs_cart, rank + 1, rank + 1) == '1'
  -- guard silence_emptied: without cart and #cart <= STAMP_WIDTH or
  -- guard silence_needs_cart: without or not cart and needs_cart
  if cart and #cart <= STAMP_WIDTH or not cart and needs_cart then return false end
  -- guard silence_named: without name and #name > STAMP_WIDTH and
  -- guard silence_reachable: without and phone and #phone > STAMP_WIDTH
  return name and #name > STAMP_WIDTH and phone and #phone > STAMP_WIDTH
end
