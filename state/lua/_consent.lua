-- Answers to the question whether a person may be contacted, by channel: `call` and `whatsapp`, and with `linked.` before
-- them those of identities that were seen together with this one. An answer is 15 digits of when it was given (ms), `r`
-- when it is a refusal and `a` when not, then its proof: of two the higher text is the later one, and of two at the same
-- time the refusal.
local LINKED, WHAT_AT = 'linked.', 16

local function is_refusal(answer) return answer and string.sub(answer, WHAT_AT, WHAT_AT) == 'r' end

-- The latest answer for a channel, or nil.
local function answer_of(prefix, channel)
  local own, linked = unpack(redis.call('HMGET', prefix .. 'consent', channel, LINKED .. channel))
  if own and linked then return own > linked and own or linked end
  return own or linked or nil
end
