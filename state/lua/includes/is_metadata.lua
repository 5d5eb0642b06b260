-- Return whether a field is the shop's own metadata. The bot mark stops contacts, so it is never removed.
local METADATA, KEPT = 'meta.', {['meta.bot'] = true}
-- guard metadata_bot_kept: without and not KEPT[name]
-- guard metadata_only: without string.sub(name, 1, #METADATA) == METADATA and
local function is_metadata(name) return string.sub(name, 1, #METADATA) == METADATA and not KEPT[name] end
