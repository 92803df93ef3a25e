-- Forgets what a tag names, or one answer, and tells everybody.
-- KEYS: the count of acts, their list. ARGV: the prefix of all keys, "tag", "key" or "tell", the
-- tag or key, the act for the others (or nothing, when it is one of theirs), who it is from.
local kind, what = ARGV[2], ARGV[3]
local gone = 0
local function forget_tag(tag)
  for _, key in ipairs(redis.call('SMEMBERS', ARGV[1] .. 't:' .. tag)) do
    gone = gone + redis.call('DEL', key)
  end
  redis.call('DEL', ARGV[1] .. 't:' .. tag)
end
if kind == 'tag' then
  forget_tag(what)
  for _, id in ipairs(redis.call('SMEMBERS', ARGV[1] .. 'n:' .. what)) do
    forget_tag(id)
  end
elseif kind == 'key' then
  gone = redis.call('DEL', what)
end
if ARGV[4] ~= '' then
  local act = redis.call('INCR', KEYS[1])
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', 10000, act .. '-0', 'what', ARGV[4], 'from', ARGV[5])
end
return gone
