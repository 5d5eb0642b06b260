-- Add to a counter of the silences that began on a day (UTC). `begin`: since when it is silent (ms); `rank`: of its
-- stage and platform.
-- include: constants, text
local function add_to_silences(prefix, how, begin, rank, field, by)
  local key = prefix .. 'tune:' .. text(math.floor(begin / DAY)) .. ':' .. rank
  if redis.call('HINCRBY', key, field, by) == by then
    -- guard silences_ttl
    redis.call('PEXPIREAT', key, text(begin + DAY + SILENCES_TTL))
    -- The horizons from the first silence on: one that is added later isn't counted for all of them.
    -- guard silences_horizons: 'HSETNX' => 'HSET'
    redis.call('HSETNX', key, 'horizons', how.listed)
  end
end
