-- Count a silence for the thresholds from one place of the grid to below another, as a difference array: the sum of the
-- changes up to a place is the count there. `begin`: since when it is silent (ms); `rank`: of its stage and platform;
-- `by`: 1, or -1 to take it out again.
-- include: constants, text
local function count_range(prefix, how, begin, rank, what, from, to, by)
  if from >= to then return end
  local key = prefix .. 'tune:' .. text(math.floor(begin / DAY)) .. ':' .. rank
  if redis.call('HINCRBY', key, what .. '.' .. from, by) == by then
    -- guard silences_ttl
    redis.call('PEXPIREAT', key, text(begin + DAY + SILENCES_TTL))
    -- The horizons from the first silence on: one that is added later isn't counted for all of them.
    -- guard silences_horizons: 'HSETNX' => 'HSET'
    redis.call('HSETNX', key, 'horizons', how.listed)
  end
  if to < #GRID then redis.call('HINCRBY', key, what .. '.' .. to, -by) end
end
