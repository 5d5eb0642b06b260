-- Return the record of a session's silences as text; see read_silences.lua.
-- include: constants, text
local function written_silences(record)
  local words = {}
  for i, number in ipairs(record.places) do words[i] = string.sub(DIGITS, number + 1, number + 1) end
  local times = (record.begin and text(record.begin) or '') .. (record.at and ':' .. text(record.at) or '')
  return table.concat(words) .. record.used .. record.flag .. times .. record.uncounted
end
