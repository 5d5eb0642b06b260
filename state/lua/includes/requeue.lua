-- Return an outreach to the outbox, due at a time (ms): the only function that does. `why`: a line of its history; ''
-- for none.
-- include: add_history, note_time, text
local function requeue(prefix, id, due, at, why)
  local key = prefix .. 'outreach:' .. id
  -- guard requeue_takes: 'waiting', 'takes', 0 => 'waiting'
  redis.call('HSET', key, 'state', 'waiting', 'takes', 0)
  if why ~= '' then add_history(key, at, why) end
  -- guard requeue_notes_time
  note_time(prefix, at)
  redis.call('ZREM', prefix .. 'leased', id)
  redis.call('ZADD', prefix .. 'due', text(due), id)
end
