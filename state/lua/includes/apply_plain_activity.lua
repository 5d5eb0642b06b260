-- Apply a plain activity in few steps, with the same result as advance_session: a session begins or continues at a
-- stage. Return false, with nothing done, if the event is more than that. `batch`: see apply.lua. `was`: the stored
-- activity. `write`: as in advance_session; nil if the event has no other data. A session that stays in its lane keeps
-- its score there, because scores are lower bounds (see claim.lua).
-- include: constants, call, floor, idle_lane, note_silence, note_visit, put, sub, text
local function apply_plain_activity(batch, key, id, activity, was, write)
  local a, was_a = tonumber(activity), tonumber(was or 0) -- not a number if it is marked
  -- guard plain_newer: without or a <= was_a
  -- guard plain_marked: not was_a or a <= was_a => a <= number_of(was)
  if not was_a or a <= was_a then return false end
  -- Most shoppers have no phone number: for them, a silence costs one field that is read.
  -- guard plain_silence: was and a - was_a > SHORTEST_SILENCE * 100 => false
  if was and a - was_a > SHORTEST_SILENCE * 100 and call('HGET', key, 'phone') then
    local gap = floor(a / 100) - floor(was_a / 100)
    local tune = note_silence(batch.prefix, key, floor(was_a / 100), was_a % 100, gap, 'idle')
    write = tune and not write and {'HSET', key} or write
    if tune then put(write, 'tune', tune) end
  end
  -- guard plain_same_stage: without and (a - was_a) % 100 == 0
  if was and (a - was_a) % 100 == 0 then
    if not write then call('HSET', key, 'activity', activity)
    else
      put(write, 'activity', activity)
      call(unpack(write))
    end
  else
    if not was then
      local signal, state, seen = unpack(call('HMGET', key, 'signal', 'state', 'seen'))
      -- guard plain_signal_before: without signal or
      -- guard plain_state_before: without or state
      -- guard plain_seen_before: without or seen
      if signal or state or seen then return false end
      -- guard plain_begun
      batch.started[a % 100] = (batch.started[a % 100] or 0) + 1
    end
    write = write or {'HSET', key}
    put(write, 'activity', activity)
    -- guard plain_visit
    note_visit(key, activity, was, write)
    call(unpack(write))
    -- guard plain_leaves_lane: call('ZREM', idle_lane(batch.prefix, batch.ranks, was_a), id) => text(0)
    if was then call('ZREM', idle_lane(batch.prefix, batch.ranks, was_a), id) end
    call('ZADD', idle_lane(batch.prefix, batch.ranks, a), sub(activity, 1, -3), id)
  end
  -- guard plain_ttl: a - a % (100 * HOUR) > was_a => false
  if a - a % (100 * HOUR) > was_a then call('PEXPIREAT', key, text(floor(a / 100) + SESSION_TTL + HOUR)) end
  return true
end
