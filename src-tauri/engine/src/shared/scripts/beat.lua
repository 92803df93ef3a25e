-- "I am here", and a look at everything.
-- KEYS: machines, epoch, then of each service its slots and its ban
-- ARGV: epoch, not after, me, what I divide by, live, silent, number of machines I know of, of each its
--       name and how long ago it was seen, then of each service the number of its windows and their lengths
-- Returns {0, now, machines (this one included), {other, age, …}, {{used…} of each service}, {{kind, endpoint, age, left} or {}}}
--       or {3}, {4} as take.lua does.
local machines, epoch = KEYS[1], KEYS[2]
local now = clock()
if redis.call('GET', epoch) ~= ARGV[1] then return {3} end
if now > tonumber(ARGV[2]) then return {4} end

-- An emptied server has forgotten who may still be using its part.
local known = tonumber(ARGV[7])
for i = 8, 7 + known * 2, 2 do
  redis.call('HSETNX', machines, ARGV[i], whole(now - tonumber(ARGV[i + 1])) .. ':' .. ARGV[4])
end
local all, _, others = census(machines, ARGV[3], tonumber(ARGV[4]), now, tonumber(ARGV[5]), tonumber(ARGV[6]))

local taken, bans = {}, {}
local place = 8 + known * 2
for i = 3, #KEYS, 2 do
  local of = {}
  local windows = tonumber(ARGV[place])
  for w = place + 1, place + windows do
    of[#of + 1] = used(KEYS[i], now, tonumber(ARGV[w]))
  end
  place = place + 1 + windows
  taken[#taken + 1] = of
  local ban = redis.call('HMGET', KEYS[i + 1], 'kind', 'endpoint', 'began', 'until')
  if ban[4] and tonumber(ban[4]) > now then
    bans[#bans + 1] = {ban[1], ban[2], math.max(0, now - tonumber(ban[3])), tonumber(ban[4]) - now}
  else
    bans[#bans + 1] = {}
  end
end
return {0, now, all, others, taken, bans}
