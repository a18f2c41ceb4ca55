-- wrk ... -s post.lua URL -- BODY [NAMESPACES]: posts a recorded review as an API server does. With NAMESPACES, for one
-- of so many generated namespaces after another, whose name is written over the recorded one.
local STRIDE = 7919 -- a prime: neighbours in time are not neighbours in memory
local head, names, tail = nil, {}, nil
local at = 0

local function next_request()
    at = at % #names + 1
    return head .. names[at] .. tail
end

local function read(path)
    local file = assert(io.open(path, "rb"))
    local text = file:read("*a")
    file:close()
    return text
end

function init(args)
    local namespaces = tonumber(args[2] or 0)
    wrk.method = "POST"
    wrk.headers["User-Agent"] = "kube-apiserver-admission"
    wrk.headers["Accept"] = "application/json, */*"
    wrk.headers["Content-Type"] = "application/json"
    wrk.headers["Accept-Encoding"] = "gzip"
    wrk.body = read(args[1])
    if namespaces == 0 then
        return
    end
    head, tail = wrk.format():match("^(.-)my%-namespace(.*)$")
    for i = 1, namespaces do
        names[i] = string.format("ns-%09d", i * STRIDE % namespaces)
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
