-- Count the silences that note_silence.lua has noted, and keep them for an order to come.
-- Counters, by threshold: `n` silences; by horizon (ms), which follows the letter: `r` returns within it, `s` people
-- contacted before it was over, `h` people held out before it was over, `g` their returns; `o` orders, `p` orders of
-- people held out.
-- include: count_range, keep_silence, place, text
local function count_silences(prefix, key, how, record)
  for rank, begin, from, length in string.gmatch(record.uncounted, '(%d+):(%d+):(%d+):(%d+)') do
    local low, gap, high = tonumber(from), tonumber(length), place(tonumber(length))
    count_range(prefix, how, begin, rank, 'n', low, high, 1)
    for _, horizon in ipairs(how.horizons) do
      count_range(prefix, how, begin, rank, 'r' .. text(horizon), math.max(low, place(gap - horizon)), high, 1)
    end
    keep_silence(key, rank, begin, low, high, 0)
  end
  -- guard noted_once
  record.uncounted = ''
end
