-- Gives slots back: their calls were answered so long ago, or, if that is negative, are still out; or
-- they never left. Also brings calls the server does not know.
-- KEYS: slots, time of the last send
-- ARGV: a slot's longest life, longest window, how long ago the last call was sent (negative: none),
--       number of slots never used, those, then of each other slot its name and how long ago
local slots, sent = KEYS[1], KEYS[2]
local now = clock()
local life, longest, ago = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local unused = tonumber(ARGV[4])
for i = 5, 4 + unused do redis.call('ZREM', slots, ARGV[i]) end
for i = 5 + unused, #ARGV, 2 do
  local age = tonumber(ARGV[i + 1])
  local at = age < 0 and now + life or now - age
  redis.call('ZADD', slots, whole(at), ARGV[i])
end
expire(slots, longest + life + 1000000)
if ago >= 0 then
  local last = tonumber(redis.call('GET', sent) or '0')
  if now - ago > last then
    redis.call('SET', sent, whole(now - ago))
    expire(sent, longest + life + 1000000)
  end
end
return 0
