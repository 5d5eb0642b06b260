-- Bound a session's metadata: only the latest fields stay. They are chosen by stamp and name, so events in any order
-- give the same result. Call it after new metadata was written.
-- include: constants, is_metadata
local MOST_METADATA = 128
local function bound_metadata(key)
  if redis.call('HLEN', key) <= MOST_METADATA then return end
  local all, names, stamps = redis.call('HGETALL', key), {}, {}
  for i = 1, #all, 2 do
    if is_metadata(all[i]) then
      names[#names + 1] = all[i]
      stamps[all[i]] = string.sub(all[i + 1], 1, STAMP_WIDTH)
    end
  end
  table.sort(names, function(one, other)
    -- guard metadata_newest: > => <
    -- guard metadata_by_stamp: stamps[one] ~= stamps[other] => false
    if stamps[one] ~= stamps[other] then return stamps[one] > stamps[other] end
    -- guard metadata_by_name: < => >
    return one < other
  end)
  -- guard metadata_bound: MOST_METADATA + 1, => MOST_METADATA,
  for index = MOST_METADATA + 1, #names do redis.call('HDEL', key, names[index]) end
end
