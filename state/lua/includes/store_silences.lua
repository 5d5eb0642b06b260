-- Store the record of a session's silences; see read_silences.lua.
-- include: text
local DIGITS = '0123456789abcdefghijklmnopqrstuvwxyz'
local function store_silences(key, record)
  local words = {}
  for i, number in ipairs(record.places) do words[i] = string.sub(DIGITS, number + 1, number + 1) end
  local is_open = record.flag ~= '' and record.flag ~= 'x'
  local times = is_open and text(record.begin) .. (record.at and ':' .. text(record.at) or '') or ''
  redis.call('HSET', key, 'tune', table.concat(words) .. record.used .. record.flag .. times)
end
