-- wrk ... -s post.lua URL -- BODY [NAMESPACES]: posts a recorded review as an API server does. With NAMESPACES above 1
-- the review is sent for 1000 of so many generated namespaces in turn, whose names are written over its own.
local VARIANTS, RECORDED = 1000, "my%-namespace"
local requests, at = {}, 0

local function next_request()
    at = at % #requests + 1
    return requests[at]
end

function init(args)
    local file = assert(io.open(args[1], "rb"))
    local body = file:read("*a")
    file:close()
    local namespaces = tonumber(args[2] or 0)
    wrk.method = "POST"
    wrk.headers["User-Agent"] = "kube-apiserver-admission"
    wrk.headers["Accept"] = "application/json, */*"
    wrk.headers["Content-Type"] = "application/json"
    wrk.headers["Accept-Encoding"] = "gzip"
    if namespaces == 0 then
        wrk.body = body
        return
    end
    for i = 1, VARIANTS do
        local name = string.format("ns-%09d", i * 7919 % namespaces)
        requests[i] = wrk.format(nil, nil, nil, (body:gsub(RECORDED, name)))
    end
    request = next_request
end

function done(summary, latency, _)
    local errors = summary.errors
    io.write(string.format(
        '{"answers": %d, "seconds": %.6f, "errors": %d, "p50_us": %.1f, "p90_us": %.1f, "p99_us": %.1f, "max_us": %.1f}\n',
        summary.requests, summary.duration / 1e6,
        errors.connect + errors.read + errors.write + errors.status + errors.timeout,
        latency:percentile(50), latency:percentile(90), latency:percentile(99), latency.max))
end
