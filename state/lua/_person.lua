-- What several scripts know of a person. A mark is direct when an event named this very identity, and linked when it comes
-- from an identity that was seen together with this one: only direct ones are passed on, so they go one step far, and in
-- whatever order marks and links arrive the end is the same. Times are Unix ms of the server.
-- include: _clock
-- include: _barred
local call = redis.call
local DIRECT_OPT_OUTS = {'shop', 'operator'} -- a register lists numbers, not people: it is not passed on
local CHANNELS = {'call', 'whatsapp'}

-- Whether so many others were seen with this identity that it does not tell a person apart.
local function is_shared(prefix, most) return call('ZCARD', prefix .. 'links') > tonumber(most) end

-- The direct marks, as mark.lua takes them: bought ('' none), opted out ('' none), then channel, answer, ...
local function direct_marks(prefix)
  local opted_out, marks = 0, {call('GET', prefix .. 'bought') or '', ''}
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
