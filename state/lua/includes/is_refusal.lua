-- Return whether an answer, as in answer_of.lua, is a refusal.
-- include: constants
local function is_refusal(answer) return answer and string.sub(answer, ANSWER_DIGITS + 1, ANSWER_DIGITS + 1) == 'r' end
