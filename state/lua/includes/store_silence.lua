-- Store since when a session is silent: since its last event, an expiry in it (`silent`), or since it was last seen
-- (`seen`), which is later than its last event only if that had a wrong clock. Both are stored only if they differ.
-- include: call, floor, max, put, text
local function store_silence(key, write, silent, seen, last, has)
  seen = max(seen, floor(last / 100))
  -- guard silence_stored: without silent > seen and
  for name, is in pairs({silent = silent > seen and text(silent), seen = seen > floor(last / 100) and text(seen)}) do
    local was = name == 'silent' and has.silent or name == 'seen' and has.seen
    -- guard silence_removed: without elseif was and not is then call('HDEL', key, name)
    if is and is ~= was then put(write, name, is) elseif was and not is then call('HDEL', key, name) end
  end
  return max(silent, seen)
end
