-- Note that fields of the customer wait in a visitor's record, for as long as the record is kept.
-- include: call, clock, text
local function index_waiting(prefix, visitor, kept_ms)
  local key, now = prefix .. 'waiting', clock()
  call('ZADD', key, text(now + kept_ms), visitor)
  -- guard waiting_expired
  call('ZREMRANGEBYSCORE', key, '-inf', text(now))
  -- guard waiting_ttl
  call('PEXPIRE', key, kept_ms)
end
