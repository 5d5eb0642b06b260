-- The direct marks of a person, as mark.lua takes them: bought, opted out, payment as stated, latest payment ('' for
-- none of each), then channel, answer, ... A mark is direct when an event named this very identity, and linked when it
-- comes from an identity that was seen together with this one: only direct ones are passed on, so they go one step far,
-- and in whatever order marks and links arrive the end is the same. A register lists numbers, not people: it is not
-- passed on.
-- include: constants, call, text
local DIRECT_OPT_OUTS = {'shop', 'operator'}
local function direct_marks(prefix)
  local payment = call('HMGET', prefix .. 'payment', 'stated', 'latest')
  local opted_out, marks = 0, {call('GET', prefix .. 'bought') or '', '', payment[1] or '', payment[2] or ''}
  local said = call('HMGET', prefix .. 'opted_out', unpack(DIRECT_OPT_OUTS))
  for i = 1, #DIRECT_OPT_OUTS do opted_out = math.max(opted_out, tonumber(said[i] or 0)) end
  if opted_out > 0 then marks[2] = text(opted_out) end
  local answers = call('HMGET', prefix .. 'consent', unpack(CHANNELS))
  for i, channel in ipairs(CHANNELS) do
    if answers[i] then
      marks[#marks + 1] = channel
      marks[#marks + 1] = answers[i]
    end
  end
  return marks
end
