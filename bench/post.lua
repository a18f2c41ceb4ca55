-- wrk ... -s post.lua URL -- BODY: posts a recorded review as an API server does, and prints what came of it as JSON.
function init(args)
    local file = assert(io.open(args[1], "rb"))
    wrk.method = "POST"
    wrk.headers["User-Agent"] = "kube-apiserver-admission"
    wrk.headers["Accept"] = "application/json, */*"
    wrk.headers["Content-Type"] = "application/json"
    wrk.headers["Accept-Encoding"] = "gzip"
    wrk.body = file:read("*a")
    file:close()
end

function done(summary, latency, _)
    local errors = summary.errors
    io.write(string.format(
        '{"answers": %d, "seconds": %.6f, "errors": %d, "p50_us": %.1f, "p90_us": %.1f, "p99_us": %.1f, "max_us": %.1f}\n',
        summary.requests, summary.duration / 1e6,
        errors.connect + errors.read + errors.write + errors.status + errors.timeout,
        latency:percentile(50), latency:percentile(90), latency:percentile(99), latency.max))
end
