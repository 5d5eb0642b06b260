-- Where a session waits: the lane of its last activity's stage and platform and of the kind of what followed, by the
-- sequence numbers. `ranks`: the names of the ranks, each padded with spaces to RANK_WIDTH characters.
local RANK_WIDTH = 32

-- What a sequence number says: `<stage>.<platform>` for an activity, else a kind.
local function name_of(ranks, sequence)
  return string.match(ranks, '%S+', 1 + sequence % 100 * RANK_WIDTH)
end

-- The activity of a session of which more is to be known than that it looks around (its state, a signal since, another
-- silence than since that activity) ends with a mark, so that all others go on at the price of reading this one field.
local MARK = '+'
local function marked(activity) return string.match(activity, '%d+') .. MARK end
local function number_of(stored) return stored and tonumber(string.match(stored, '%d+')) or 0 end

local function idle_lane(prefix, ranks, activity) return prefix .. 'lane:' .. name_of(ranks, activity) .. '.idle' end

local function lane_of(prefix, ranks, activity, signal)
  if activity == 0 then return nil end
  local kind = signal > activity and name_of(ranks, signal) or 'idle'
  return prefix .. 'lane:' .. name_of(ranks, activity) .. '.' .. kind
end

-- Since when it is silent (ms), by the fields `silent` and `seen` as stored; without either, since its last event occurred.
local function silent_of(silent, seen, last) return tonumber(silent or seen or math.floor(last / 100)) end
