-- Carry out a command. A local is faster than a field of a global, in scripts that run for each event.
local call = redis.call
