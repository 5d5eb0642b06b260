-- The usual events in few steps, with the result of `move`: who only looks around begins, or goes on, here or at another
-- place. False, with nothing done, when it is not that. `was`: its activity as stored. `write`: as in `move`; nil when
-- the event says no more. Who stays in its lane is left as it is there: the scores are lower bounds (see claim.lua).
local function goes_on(prefix, ranks, key, id, activity, was, write)
  local a, was_a = tonumber(activity), tonumber(was or 0) -- no number when it is marked
  if not was_a or a <= was_a then return false end
  if was and (a - was_a) % 100 == 0 then
    if not write then call('HSET', key, 'activity', activity)
    else
      put(write, 'activity', activity)
      call(unpack(write))
    end
  else
    if not was then
      local more = call('HMGET', key, 'signal', 'state', 'seen')
      if more[1] or more[2] or more[3] then return false end
      begun[a % 100] = (begun[a % 100] or 0) + 1
    end
    write = write or {'HSET', key}
    put(write, 'activity', activity)
    note_stay(key, activity, was, write)
    call(unpack(write))
    if was then call('ZREM', idle_lane(prefix, ranks, was_a), id) end
    call('ZADD', idle_lane(prefix, ranks, a), sub(activity, 1, -3), id)
  end
  if a - a % (100 * HOUR) > was_a then call('PEXPIREAT', key, text(floor(a / 100) + SESSION_TTL + HOUR)) end
  return true
end
