-- The latest answer of a person for a channel to the question whether they may be contacted, or nil. Answers are kept
-- by channel, `call` and `whatsapp`, and with `linked.` before it those of identities that were seen together with this
-- one. An answer is 15 digits of when it was given (ms), `r` when it is a refusal and `a` when not, then its proof: of
-- two the higher text is the later one, and of two at the same time the refusal.
-- include: constants
local function answer_of(prefix, channel)
  local own, linked = unpack(redis.call('HMGET', prefix .. 'consent', channel, LINKED .. channel))
  if own and linked then return own > linked and own or linked end
  return own or linked or nil
end
