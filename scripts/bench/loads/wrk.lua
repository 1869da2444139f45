-- Arguments: METHOD URL BYTES-OF-CONTENT [VALUE-OF-PROXY-AUTHORIZATION]. The request line has the URL in absolute form.
function init(args)
  local url = args[2]
  local content = tonumber(args[3])
  wrk.headers["Host"] = url:match("^%w+://([^/]+)")
  if args[4] then wrk.headers["Proxy-Authorization"] = args[4] end
  request_bytes = wrk.format(args[1], url, nil, content > 0 and string.rep("x", content) or nil)
end

function request()
  return request_bytes
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"bytes":%d,"microseconds":%d,"p50":%f,"p99":%f,"connect":%d,"read":%d,"write":%d,"timeout":%d,"status":%d}\n',
    summary.requests, summary.bytes, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect, errors.read, errors.write, errors.timeout, errors.status))
end
