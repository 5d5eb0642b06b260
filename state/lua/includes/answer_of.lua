-- Return a person's latest answer about contacts on a channel, or nil. Answers are kept by channel, `call` and
-- `whatsapp`; those of linked identities have the prefix `linked.`. An answer is 15 digits of its time (ms), `r` for a
-- refusal or `a` for an approval, then its proof. So the higher of two texts is the later answer, and at the same time
-- the refusal.
-- include: constants
local function answer_of(prefix, channel)
  local own, linked = unpack(redis.call('HMGET', prefix .. 'consent', channel, LINKED .. channel))
  if own and linked then return own > linked and own or linked end
  return own or linked or nil
end
