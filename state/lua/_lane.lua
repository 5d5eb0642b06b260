-- Where a session waits: the lane of its last activity's stage and platform and of the kind of what followed, by the
-- sequence numbers. `ranks`: the names of the ranks, a space between; read only when a lane has to be named.
local names

-- What a sequence number says: `<stage>.<platform>` for an activity, else a kind.
local function name_of(ranks, sequence)
  if not names then
    names = {}
    for name in string.gmatch(ranks, '%S+') do names[#names + 1] = name end
  end
  return names[1 + sequence % 100]
end

local function lane_of(prefix, ranks, activity, signal)
  if activity == 0 then return nil end
  local kind = signal > activity and name_of(ranks, signal) or 'idle'
  return prefix .. 'lane:' .. name_of(ranks, activity) .. '.' .. kind
end

-- Since when it is silent (ms): as stored, or else since its last event occurred.
local function silent_of(stored, last) return tonumber(stored or math.floor(last / 100)) end
