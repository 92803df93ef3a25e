-- Which server is this? An emptied one has lost its epoch and gets a new one.
-- KEYS: epoch
-- ARGV: a new epoch
-- Returns {epoch}
redis.call('SET', KEYS[1], ARGV[1], 'NX')
return redis.call('GET', KEYS[1])
