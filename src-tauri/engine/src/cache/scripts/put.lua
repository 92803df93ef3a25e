-- Keeps an answer, unless something was forgotten since its call was made.
-- KEYS: the answer, the count of acts. ARGV: the answer, its time to live in milliseconds, the count its
-- maker knew, the prefix of all keys, how many tags, the tags, then pairs of a name and its id.
if (redis.call('GET', KEYS[2]) or '0') ~= ARGV[3] then
  return 0
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], 'at', now, 'answer', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
local function add(set, member)
  redis.call('SADD', set, member)
  -- A set lives as long as the longest of its members.
  if redis.call('PTTL', set) < tonumber(ARGV[2]) then
    redis.call('PEXPIRE', set, ARGV[2])
  end
end
local tags = tonumber(ARGV[5])
for place = 6, 5 + tags do
  add(ARGV[4] .. 't:' .. ARGV[place], KEYS[1])
end
for place = 6 + tags, #ARGV - 1, 2 do
  add(ARGV[4] .. 'n:' .. ARGV[place], ARGV[place + 1])
end
return 1
