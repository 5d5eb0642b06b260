#!lua flags=allow-oom
-- Returns the facts about a person.
-- KEYS[1]  prefix of the person
-- ARGV[1]  number of links that make an identity shared
-- Returns  {'1' if they bought ('' otherwise), 'shared' or '', {source, time of the opt-out (ms), ...}, {channel,
--          latest answer, ...}, {outreach, token:time (ms), ...} of contacts, sessions in which they were named, latest
--          last, until when a payment is in progress (ms; '0' for none)}
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
