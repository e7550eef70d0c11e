"""What runs inside Redis, each script as one step that no other router sees half done.

The keys, all below one prefix:

    e:DIGEST     hash: data, partition, expires (Unix ms), vector (float16); goes by itself when its time is over
    p:PARTITION  sorted set: digests of the partition's entries with a vector, by microsecond of their arrival
    expiry       sorted set: all digests by Unix ms of their end
    meta         hash: digest -> [size, partition, labels]; its field ``bytes`` is the sum of sizes

An entry is served only while ``meta`` knows it. Should Redis itself evict ``meta`` or ``expiry``, the cache is empty
and begins anew, rather than hold answers that no invalidation reaches.
"""

from __future__ import annotations

from typing import Final

__all__ = ["FETCH", "FORGET", "NEWER", "PUT"]

_COMMON: Final = """
local prefix = KEYS[1]
local expiry, meta = prefix .. 'expiry', prefix .. 'meta'

local function forget(exact)
  local facts = redis.call('HGET', meta, exact)
  redis.call('DEL', prefix .. 'e:' .. exact)
  redis.call('ZREM', expiry, exact)
  if not facts then return 0 end
  facts = cjson.decode(facts)
  redis.call('HDEL', meta, exact)
  redis.call('HINCRBY', meta, 'bytes', -facts[1])
  redis.call('ZREM', prefix .. 'p:' .. facts[2], exact)
  return 1
end
"""

PUT: Final = (
    _COMMON
    + """
local exact, partition, data, vector, facts = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local size, now, ttl, most, room = tonumber(ARGV[6]), ARGV[7], tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
local entry, members = prefix .. 'e:' .. exact, prefix .. 'p:' .. partition
local expires = string.format('%.0f', now + ttl)

local function outlive(key)
  if redis.call('PTTL', key) < ttl then redis.call('PEXPIRE', key, ttl) end
end

if redis.call('ZCARD', expiry) ~= redis.call('HLEN', meta) - redis.call('HEXISTS', meta, 'bytes') then
  redis.call('DEL', expiry, meta)
end
local expired, evicted = 0, 0
for _, old in ipairs(redis.call('ZRANGEBYSCORE', expiry, '-inf', now, 'LIMIT', 0, 100)) do
  expired = expired + forget(old)
end
if redis.call('EXISTS', entry) + redis.call('HEXISTS', meta, exact) > 0 then forget(exact) end
for _ = 1, 1000 do
  local bytes = tonumber(redis.call('HGET', meta, 'bytes') or 0)
  if redis.call('ZCARD', expiry) < most and bytes + size <= room then break end
  evicted = evicted + forget(redis.call('ZRANGE', expiry, 0, 0)[1])
end

redis.call('HSET', entry, 'data', data, 'partition', partition, 'expires', expires)
redis.call('PEXPIRE', entry, ttl)
redis.call('ZADD', expiry, expires, exact)
redis.call('HSET', meta, exact, facts)
redis.call('HINCRBY', meta, 'bytes', size)
outlive(expiry)
outlive(meta)
if vector ~= '' then
  redis.call('HSET', entry, 'vector', vector)
  local time = redis.call('TIME')
  local order = time[1] * 1000000 + time[2]
  local newest = redis.call('ZREVRANGE', members, 0, 0, 'WITHSCORES')[2]
  if newest and tonumber(newest) >= order then order = tonumber(newest) + 1 end
  redis.call('ZADD', members, string.format('%.0f', order), exact)
  outlive(members)
end
return {expired, evicted}
"""
)
"""Keep one entry within the bounds, those that would end first going for it; returns how many expired, were evicted.

Nothing is written before the first command that Redis denies when it is full: it lets a script that wrote go on.
"""

FORGET: Final = (
    _COMMON
    + """
local gone = 0
for _, exact in ipairs(ARGV) do gone = gone + forget(exact) end
return {gone}
"""
)
"""Drop the named entries; returns how many there were."""

FETCH: Final = """
local prefix, partition, wanted, now = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local living, gone = {}, {}
for place = 4, #ARGV do
  if #living >= 2 * wanted then break end
  local exact = ARGV[place]
  local found = redis.call('HMGET', prefix .. 'e:' .. exact, 'data', 'partition', 'expires')
  local meant = found[1] and tonumber(found[3]) > now and (partition == '' or found[2] == partition)
  if meant and redis.call('HEXISTS', prefix .. 'meta', exact) == 1 then
    living[#living + 1] = exact
    living[#living + 1] = found[1]
  else
    gone[#gone + 1] = exact
  end
end
return {living, gone}
"""
"""Read the first ``wanted`` of the entries that live in ``partition`` (empty: in any); name those that don't."""

NEWER: Final = """
local prefix, members = KEYS[1], KEYS[1] .. 'p:' .. ARGV[1]
local last, page, most = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local newest = redis.call('ZREVRANGE', members, 0, 0, 'WITHSCORES')[2]
local again = 0
if not newest or tonumber(newest) < last then again, last = 1, 0 end
local skipped = redis.call('ZREVRANGE', members, most, most, 'WITHSCORES')[2]
if skipped and tonumber(skipped) > last then last = tonumber(skipped) end
local found = redis.call(
  'ZRANGEBYSCORE', members, '(' .. string.format('%.0f', last), '+inf', 'WITHSCORES', 'LIMIT', 0, page)
local rows = {}
for place = 1, #found, 2 do
  rows[#rows + 1] = found[place]
  rows[#rows + 1] = found[place + 1]
  rows[#rows + 1] = redis.call('HGET', prefix .. 'e:' .. found[place], 'vector') or ''
end
return {again, rows}
"""
"""Read what came to a partition after ``last``, oldest first, among the newest ``most``.

Returns whether the reader must begin again (what it knew last is no longer there), and digest, order, vector of each.
"""
