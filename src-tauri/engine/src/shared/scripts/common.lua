-- In front of every script. All times are microseconds of the server's clock: the one clock that all
-- machines share.
local function clock()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- A number as text, whole: Lua's own way rounds to 14 digits.
local function whole(number)
  return string.format('%.0f', number)
end

-- A key lives so long, in whole milliseconds.
local function expire(key, micros)
  redis.call('PEXPIRE', key, whole(math.ceil(micros / 1000)))
end

-- What one of `machines` may use by itself of `calls`; reckoned alike in the engine.
local function share(calls, machines)
  return math.max(1, math.floor(calls / machines))
end

-- Marks `me` as seen, and looks who else is there. A machine is silent when it was not seen for `live`,
-- and forgotten after `silent`. `told` is the number of machines `me` divides by when it must go on
-- alone. Returns how many there are, what each silent one divides by, all others with their age, and
-- whether a live one does not know of all: it would take too large a part if the server went now.
local function census(key, me, told, now, live, silent)
  local all, away, others, fewest = 1, {}, {}, math.huge
  local flat = redis.call('HGETALL', key)
  for i = 1, #flat, 2 do
    local id = flat[i]
    local seen, by = string.match(flat[i + 1], '^(%d+):(%d+)$')
    local age = seen and now - tonumber(seen) or silent + 1
    if id ~= me then
      if age > silent then
        redis.call('HDEL', key, id)
      else
        all = all + 1
        others[#others + 1] = id
        others[#others + 1] = math.max(0, age)
        if age > live then
          -- One that knew of nobody else is given a half: a machine that was switched off must not
          -- keep the whole.
          away[#away + 1] = math.max(2, tonumber(by))
        else
          fewest = math.min(fewest, tonumber(by))
        end
      end
    end
  end
  -- It may miss our answer and go on with what it was told before: the larger part is kept for it.
  redis.call('HSET', key, me, whole(now) .. ':' .. whole(math.min(told, all)))
  expire(key, silent * 2)
  return all, away, others, fewest < all
end

-- What is left of `calls` when the silent machines have their part.
local function allowed(calls, away)
  local left = calls
  for _, by in ipairs(away) do
    left = left - share(calls, by)
  end
  return math.max(0, left)
end

-- Slots of a window of `length` that are taken at `now`. A slot's score is when it was answered, at the
-- latest: for a call that is still out that lies ahead.
local function used(slots, now, length)
  return redis.call('ZCOUNT', slots, '(' .. whole(now - length), '+inf')
end
