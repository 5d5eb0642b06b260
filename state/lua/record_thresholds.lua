#!lua
-- Records the settings of detection that a sweep applies, and since when they are in force.
-- KEYS[1]  prefix of the control keys
-- ARGV[1]  digest of the settings; ARGV[2] the settings; ARGV[3] the source of each, both as JSON; ARGV[4] the process
-- Returns  the settings that were recorded before, as JSON, if they differ; else an empty text
-- include: clock, text
local digest, settings_json, sources_json, process = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local key, now = KEYS[1] .. 'thresholds', text(clock())
local before = redis.call('HMGET', key, 'digest', 'settings')
redis.call('HSET', key, 'at', now, 'process', process, 'sources', sources_json)
-- guard thresholds_since
if before[1] == digest then return '' end
redis.call('HSET', key, 'digest', digest, 'settings', settings_json, 'since', now)
return before[2] or ''
