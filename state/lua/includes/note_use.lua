-- Notes that a cart is used after its order: it isn't over then. Some shops never change the id of a shopper's cart.
-- include: call, ended_at
local function note_use(prefix, session, occurred, kept_ms)
  local paid = ended_at(prefix, session)
  -- guard use_after_order: tonumber(occurred) > tonumber(paid) => true
  if paid and tonumber(occurred) > tonumber(paid) then
    call('SET', prefix .. 'paid:' .. session, paid .. ' ' .. occurred, 'PX', kept_ms)
  end
end
