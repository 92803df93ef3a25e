-- Notes a ban; the one that ends last stays.
-- KEYS: ban
-- ARGV: kind, endpoint, how long ago it began, how long it lasts yet
local now = clock()
local ends = now + tonumber(ARGV[4])
local known = redis.call('HGET', KEYS[1], 'until')
if known and tonumber(known) >= ends then return 0 end
redis.call('HSET', KEYS[1], 'kind', ARGV[1], 'endpoint', ARGV[2], 'began', whole(now - tonumber(ARGV[3])),
  'until', whole(ends))
expire(KEYS[1], tonumber(ARGV[4]))
return 1
