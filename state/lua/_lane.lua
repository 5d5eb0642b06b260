-- Where a session waits: the lane of its last activity's stage and platform and of the kind of what followed, by the
-- sequence numbers. `ranks`: the names of the ranks, a space between; read only when a lane has to be named.
local names

local function lane_of(prefix, ranks, activity, signal)
  if activity == 0 then return nil end
  if not names then
    names = {}
    for name in string.gmatch(ranks, '%S+') do names[#names + 1] = name end
  end
  local kind = signal > activity and names[1 + signal % 100] or 'idle'
  return prefix .. 'lane:' .. names[1 + activity % 100] .. '.' .. kind
end

-- Since when it is silent (ms): as stored, or else since its last event occurred.
local function silent_of(stored, last) return tonumber(stored or math.floor(last / 100)) end
