-- Add a line to the history of an outreach. It can be postponed any number of times, so a longer history keeps only its
-- beginning and its latest lines.
-- include: text
local MOST_HISTORY, BEGINNING, LATEST = 16384, 1024, 8192
local function add_history(outreach_key, at, what)
  local history = (redis.call('HGET', outreach_key, 'history') or '') .. text(at) .. ' ' .. what .. '\n'
  -- guard history_bound: #history > MOST_HISTORY => false
  if #history > MOST_HISTORY then
    local head = string.match(string.sub(history, 1, BEGINNING), '^.*\n') or ''
    local tail = string.match(string.sub(history, -LATEST), '\n(.*)$') or ''
    -- guard history_beginning: without head ..
    history = head .. text(at) .. ' (lines left out)\n' .. tail
  end
  redis.call('HSET', outreach_key, 'history', history)
end
