-- include: clock
-- Copy applied entries of a stream for the recorder, while one reads. At the limit they are counted as lost: detection
-- doesn't wait, and the copies can't fill the server. The copies expire if no recorder takes them.
-- `ids`: their ids from place `at` on. `is_range`: whether no other entry lies between them. Return the number copied;
-- nil if no recorder asked.
local function copy_for_recorder(stream, counter, ids, at, is_range)
  local asked = redis.call('HMGET', counter, 'record_until', 'record_limit', 'record_bytes', 'copied_bytes')
  local recorded_until, limit, most_bytes = tonumber(asked[1]), tonumber(asked[2] or 0), tonumber(asked[3] or 0)
  if not recorded_until then return end
  local copies, now = string.gsub(counter, ':applied:', ':recording:', 1), clock()
  -- A day without a recorder is the end of the recording, and no loss.
  -- guard copy_over: now > recorded_until + 86400000 => false
  if now > recorded_until + 86400000 then
    redis.call('HDEL', counter, 'record_until')
    return
  end
  -- A time far ahead is from a wrong clock.
  -- guard copy_until: now > recorded_until => false
  -- guard copy_ahead: without or recorded_until > now + 3600000
  local is_away = now > recorded_until or recorded_until > now + 3600000
  -- Without the right to the copies, acknowledge all the same.
  -- guard copy_refused: redis.pcall => redis.call
  local waiting = redis.pcall('XLEN', copies)
  -- guard copy_limit: limit - waiting => 1000
  local room = (is_away or type(waiting) == 'table') and 0 or limit - waiting
  local entries = {}
  if is_range and room > 0 then
    entries = redis.call('XRANGE', stream, ids[at], ids[#ids])
  elseif room > 0 then
    for i = at, #ids do entries[#entries + 1] = redis.call('XRANGE', stream, ids[i], ids[i])[1] end
  end
  local copied, bytes = 0, tonumber(asked[4] or 0)
  -- Copies that expired, or that an erasure removed, were not subtracted.
  -- guard copy_bytes_again
  if waiting == 0 or bytes < 0 then bytes = 0 end
  for i = 1, #entries do
    local id, fields, event = entries[i][1], entries[i][2], nil
    for n = 1, #fields, 2 do
      if fields[n] == 'event' then event = fields[n + 1] end
    end
    -- guard copy_bytes: without and bytes + #event <= most_bytes
    if event and copied < room and #event <= 65536 and bytes + #event <= most_bytes then
      redis.call('XADD', copies, '*', 'id', id, 'event', event)
      copied, bytes = copied + 1, bytes + #event
    end
  end
  -- guard copy_expires
  if copied > 0 then redis.call('PEXPIRE', copies, 600000) end
  -- guard copy_counts
  if copied > 0 then redis.call('HINCRBY', counter, 'copied', copied) end
  if copied > 0 then redis.call('HSET', counter, 'copied_bytes', bytes) end
  return copied
end
