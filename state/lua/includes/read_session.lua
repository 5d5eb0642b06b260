-- What moves a session, as stored: activity, signal, purchase, silent, state and seen.
-- include: call
local function read_session(key)
  return call('HMGET', key, 'activity', 'signal', 'purchase', 'silent', 'state', 'seen')
end
