-- Takes a slot in every window, or says why there is none.
-- KEYS: slots, time of the last send, ban, machines, epoch
-- ARGV: epoch, not after, me, what I divide by, live, silent, slot, its longest life, longest window,
--       spacing, then of each window its length and its calls
-- Returns {0, machines, used…} taken; {1, wait, machines, used…}; {2, kind, endpoint, age, left} a ban;
--       {3} another server, or an emptied one; {4} too late: whoever asked has gone on.
local slots, sent, ban, machines, epoch = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local now = clock()
if redis.call('GET', epoch) ~= ARGV[1] then return {3} end
if now > tonumber(ARGV[2]) then return {4} end

local ended = redis.call('HMGET', ban, 'until', 'began', 'kind', 'endpoint')
if ended[1] and tonumber(ended[1]) > now then
  return {2, ended[3], ended[4], math.max(0, now - tonumber(ended[2])), tonumber(ended[1]) - now}
end

local all, away, _, unaware =
  census(machines, ARGV[3], tonumber(ARGV[4]), now, tonumber(ARGV[5]), tonumber(ARGV[6]))
local longest = tonumber(ARGV[9])
redis.call('ZREMRANGEBYSCORE', slots, '-inf', whole(now - longest))

-- They hear of everybody within a second.
local wait, told = unaware and 50000 or 0, {}
for i = 11, #ARGV, 2 do
  local length, calls = tonumber(ARGV[i]), tonumber(ARGV[i + 1])
  local taken, most = used(slots, now, length), allowed(calls, away)
  told[#told + 1] = taken
  if most == 0 then
    -- Until a silent machine comes back or is forgotten; nobody knows when.
    wait = math.max(wait, 1000000)
  elseif taken >= most then
    local from = '(' .. whole(now - length)
    local last = redis.call('ZRANGEBYSCORE', slots, from, '+inf', 'WITHSCORES', 'LIMIT', taken - most, 1)
    -- One that is out may be answered at once.
    wait = math.max(wait, math.min(tonumber(last[2]), now) + length - now)
  end
end

local spacing = tonumber(ARGV[10])
if spacing > 0 then
  -- Silent machines send too, each as far apart as its part allows.
  local part = 1
  for _, by in ipairs(away) do part = part - 1 / by end
  spacing = part > 0.01 and spacing / part or 100 * spacing
  local last = redis.call('GET', sent)
  if last then wait = math.max(wait, tonumber(last) + spacing - now) end
end

if wait > 0 then return {1, math.ceil(wait), all, unpack(told)} end
redis.call('ZADD', slots, whole(now + tonumber(ARGV[8])), ARGV[7])
expire(slots, longest + tonumber(ARGV[8]) + 1000000)
if spacing > 0 then
  redis.call('SET', sent, whole(now))
  expire(sent, spacing + 1000000)
end
return {0, all, unpack(told)}
