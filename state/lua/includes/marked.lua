-- Return an activity with a mark. A session with more than plain activity (a state, a later signal, a different start
-- of the silence) has the mark, so that for all others this is the only field to read.
-- include: constants
local function marked(activity) return string.match(activity, '%d+') .. MARK end
