-- An answer and its age in milliseconds, by the server's own clock.
local answer = redis.call('HMGET', KEYS[1], 'at', 'answer')
if not answer[1] then
  return false
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
return { now - tonumber(answer[1]), answer[2] }
