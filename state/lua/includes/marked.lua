-- The activity of a session of which more is to be known than that it looks around (its state, a signal since, another
-- silence than since that activity) ends with a mark, so that all others go on at the price of reading this one field.
-- include: constants
local function marked(activity) return string.match(activity, '%d+') .. MARK end
