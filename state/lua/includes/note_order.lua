-- Notes an order of a session, which ends it for all of its visitors. Of several orders the last one counts.
-- Key `paid:SESSION`: when the order occurred (ms) and, after a space, when its cart was used after it (note_use.lua).
-- include: call
local function note_order(prefix, session, occurred, kept_ms)
  local key, at = prefix .. 'paid:' .. session, tonumber(occurred)
  local paid, again = string.match(call('GET', key) or '', '^(%d+) ?(%d*)$')
  -- guard order_newest: paid and tonumber(paid) >= at => false
  if paid and tonumber(paid) >= at then return end
  -- guard order_before_use: tonumber(again) > at => false
  local is_used = again and again ~= '' and tonumber(again) > at
  call('SET', key, is_used and occurred .. ' ' .. again or occurred, 'PX', kept_ms)
end
