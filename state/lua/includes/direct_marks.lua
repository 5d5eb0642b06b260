-- Return a person's direct marks, as mark.lua takes them: bought, opted out, payment as stated, latest payment ('' for
-- none of each), then channel, answer, ... A mark is direct if an event named this identity, and linked if it comes
-- from an identity that was seen with it. Only direct marks are passed on, so they go one step far, and the order of
-- marks and links doesn't matter. A register lists numbers, not people, so it isn't passed on.
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
