-- Carry out a command: a local is cheaper to reach than a field of a global, in scripts that are called for each event.
local call = redis.call
