-- Bounds what a shop can put into one session: of the metadata, the fields that were written last stay. Which they are
-- depends only on their stamps and names, so events in any order leave the same. A part of apply.lua and inherit.lua.
local METADATA, MOST_METADATA, STAMP_DIGITS = 'meta.', 128, 8
-- The sign of a bot stops contacts, so it is never removed.
local KEPT_METADATA = {['meta.bot'] = true}

local function is_metadata(name) return string.sub(name, 1, #METADATA) == METADATA and not KEPT_METADATA[name] end

-- Call it when metadata that was not known has been written.
local function bound_metadata(key)
  if redis.call('HLEN', key) <= MOST_METADATA then return end
  local all, names, stamps = redis.call('HGETALL', key), {}, {}
  for i = 1, #all, 2 do
    if is_metadata(all[i]) then
      names[#names + 1] = all[i]
      stamps[all[i]] = string.sub(all[i + 1], 1, STAMP_DIGITS)
    end
  end
  table.sort(names, function(one, other)
    if stamps[one] ~= stamps[other] then return stamps[one] > stamps[other] end
    return one < other
  end)
  for place = MOST_METADATA + 1, #names do redis.call('HDEL', key, names[place]) end
end
