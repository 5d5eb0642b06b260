#!lua flags=allow-oom
-- What is known of a person.
-- KEYS[1]  prefix of the person
-- ARGV[1]  links from which on an identity is shared
-- Returns  {'1' when they bought ('' otherwise), 'shared' or '', {source, when they opted out (ms), ...}, {channel, latest
--          answer, ...}, {outreach, claim:when (ms), ...} of contacts, sessions in which they were named, the latest last}
-- include: _person
-- include: _consent
-- include: _held
local prefix, answers = KEYS[1], {}
for _, channel in ipairs(CHANNELS) do
  local answer = answer_of(prefix, channel)
  if answer then
    answers[#answers + 1] = channel
    answers[#answers + 1] = answer
  end
end
return {
  call('EXISTS', prefix .. 'bought', prefix .. 'bought_linked') > 0 and '1' or '',
  is_shared(prefix, ARGV[1]) and 'shared' or '',
  call('HGETALL', prefix .. 'opted_out'),
  answers,
  held_by(prefix, clock()),
  call('ZRANGE', prefix .. 'sessions', '0', '-1'),
}
