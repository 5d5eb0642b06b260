#!lua flags=allow-oom
-- What is known of a person.
-- KEYS[1]  prefix of the person
-- ARGV[1]  links from which on an identity is shared
-- Returns  {'1' when they bought ('' otherwise), 'shared' or '', {source, when they opted out (ms), ...}, {channel,
--          latest answer, ...}, {outreach, token:when (ms), ...} of contacts, sessions in which they were named, the
--          latest last, until when a payment is in progress (ms; '0' for none)}
-- include: constants, answer_of, call, clock, is_shared, payment_until, reservations, text
local shared_from = ARGV[1]
local prefix, answers = KEYS[1], {}
for _, channel in ipairs(CHANNELS) do
  local answer = answer_of(prefix, channel)
  if answer then
    answers[#answers + 1] = channel
    answers[#answers + 1] = answer
  end
end
return {
  -- guard facts_bought_linked: , prefix .. 'bought_linked') => )
  call('EXISTS', prefix .. 'bought', prefix .. 'bought_linked') > 0 and '1' or '',
  -- guard facts_shared: without is_shared(prefix, shared_from) and 'shared' or
  is_shared(prefix, shared_from) and 'shared' or '',
  call('HGETALL', prefix .. 'opted_out'),
  answers,
  reservations(prefix, clock()),
  call('ZRANGE', prefix .. 'sessions', '0', '-1'),
  -- guard facts_paying: payment_until(prefix, clock()) => 0
  text(payment_until(prefix, clock())),
}
