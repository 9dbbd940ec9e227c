-- Counts one call under every limit, or under none.
--
-- KEYS: a list for each limit, all of one tenant. ARGV: calls and seconds of each limit, then the number of
-- ticks in a window. Calls within one tick leave the window together, with the last of them.
--
-- A list holds pairs, oldest first: the time of the last call in a tick, and how many calls had been counted
-- in all by then. Its first pair is what no longer counts, so that the calls in the window are the last
-- figure less the first, and nothing has to be summed. Times are milliseconds by this server's clock.
--
-- Answers whether a limit is used up (1 or 0), then for each limit the calls used and the milliseconds until
-- the oldest of them leaves the window.

local ticks = tonumber(ARGV[#ARGV])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local over = 0
local totals, used, windows = {}, {}, {}

for i, key in ipairs(KEYS) do
    windows[i] = ARGV[2 * i] * 1000
    local oldest = redis.call('LINDEX', key, 2)
    while oldest and tonumber(oldest) <= now - windows[i] do
        redis.call('LTRIM', key, 2, -1)
        oldest = redis.call('LINDEX', key, 2)
    end
    totals[i] = tonumber(redis.call('LINDEX', key, -1) or 0)
    used[i] = totals[i] - (redis.call('LINDEX', key, 1) or 0)
    if used[i] >= tonumber(ARGV[2 * i - 1]) then
        over = 1
    end
end

local answer = { over }
for i, key in ipairs(KEYS) do
    if over == 0 then
        local last = tonumber(redis.call('LINDEX', key, -2) or 0)
        local at = math.max(now, last) -- a replica that took over may be behind
        local tick = windows[i] / ticks
        used[i] = used[i] + 1
        if last == 0 then
            redis.call('RPUSH', key, 0, 0, at, 1)
        elseif math.floor(last / tick) == math.floor(at / tick) then
            redis.call('LSET', key, -2, at)
            redis.call('LSET', key, -1, totals[i] + 1)
        else
            redis.call('RPUSH', key, at, totals[i] + 1)
        end
        redis.call('PEXPIRE', key, windows[i])
    end
    answer[2 * i] = used[i]
    answer[2 * i + 1] = (redis.call('LINDEX', key, 2) or now) + windows[i] - now
end
return answer
