-- Return the name of a sequence number's rank: `<stage>.<platform>` for an activity, else a kind. `ranks`: the names of
-- the ranks, each padded with spaces to RANK_WIDTH characters.
-- include: constants
local function rank_name(ranks, sequence) return string.match(ranks, '%S+', 1 + sequence % 100 * RANK_WIDTH) end
