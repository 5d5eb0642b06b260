-- Return what a session's silences leave over, from its field `tune`: `places`: for each stage, how many thresholds the
-- longest one outlasted, as digits to base 36; `used`: the stage at which the session was claimed (0: none, 5: more
-- than one); `flag`: `o`: its open silence is counted, `s`: it was contacted, `h`: it was held out, `x`: it doesn't
-- count any more; `begin`: since when the open silence is (ms), `at`: when it was contacted or held out (ms);
-- `uncounted`: silences that aren't counted yet (see note_silence.lua).
local function read_silences(stored)
  local digits, used, flag, begin, at, uncounted = string.match(stored or '', '^(%w%w%w%w)(%d)(%a?)(%d*):?(%d*)(.*)$')
  local places = {0, 0, 0, 0}
  for i = 1, digits and 4 or 0 do places[i] = tonumber(string.sub(digits, i, i), 36) end
  return {places = places, used = tonumber(used or 0), flag = flag or '', begin = tonumber(begin or ''),
    at = tonumber(at or ''), uncounted = uncounted or ''}
end
