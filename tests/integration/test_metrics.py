"""/metrics: the format is sound, and each series moves when, and only when, it should."""
import json
import re
import ssl
import subprocess
import threading
import time

import pytest

from conftest import DATA, MUTATE, pod, policy, replace, request_bytes

POLICY = "/validate-v1beta1-securitygrouppolicy"
JSON = "Content-Type: application/json"
BODY = json.dumps(pod()).encode()


def recorded(number):
    path = next((DATA / "reviews").glob(f"{number:03}-*.json"))
    return json.loads(path.read_text())


def series(server):
    """All samples: (name, labels) to value."""
    status, text = server.health("/metrics")
    assert status == 200
    samples = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        name, labels, value = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line).groups()
        key = (name, tuple(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels or "")))
        assert key not in samples
        samples[key] = float(value)
    return samples


def difference(server, before, *names):
    """What has changed of these metrics, with their labels as a text."""
    after = series(server)
    return {" ".join([name, *(f"{key}={value}" for key, value in labels)]): after.get(key_of, 0) - before.get(key_of, 0)
            for key_of in {**before, **after} for name, labels in [key_of]
            if name in names and after.get(key_of, 0) != before.get(key_of, 0)}


def check_with_promtool(text):
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_promtool_is_happy(start, tmp_path):
    path = tmp_path / "policies.yaml"
    path.write_text(policy("p", "sg-01234567"))
    server = start("--policies", path)
    check_with_promtool(server.health("/metrics")[1])
    server.post(MUTATE, pod())
    server.post("/nothing", pod())
    replace(path, "broken: [")
    server.wait_for(lambda: server.events("source-failed"))
    check_with_promtool(server.health("/metrics")[1])


def test_content_type(server):
    done = subprocess.run(["curl", "-sS", "-o", "/dev/null", "-w", "%{content_type}", f"http://127.0.0.1:{server.health_port}/metrics"],
                          capture_output=True, text=True, timeout=30)
    assert done.stdout == "text/plain; version=0.0.4; charset=utf-8"


REVIEWS = [
    (MUTATE, 11, False, "CREATE", "patched"),
    (MUTATE, 11, True, "CREATE", "patched"),
    (MUTATE, 13, False, "CREATE", "allowed"),
    ("/validate-v1-pod", 14, False, "CREATE", "denied"),
    ("/validate-v1-pod", 17, False, "CREATE", "allowed"),
    ("/validate-v1-pod", 25, False, "UPDATE", "denied"),
    (POLICY, 1, False, "CREATE", "allowed"),
    (POLICY, 29, False, "CREATE", "denied"),
    (POLICY, 29, True, "CREATE", "denied"),
    (POLICY, 27, False, "DELETE", "allowed"),
    ("/validate-v1-node", 4, True, "UPDATE", "allowed"),
    ("/validate-workload", 5, False, "CREATE", "allowed"),
]


@pytest.mark.parametrize("path, number, dry_run, operation, decision", REVIEWS)
def test_reviews(server, path, number, dry_run, operation, decision):
    review = recorded(number)
    review["request"]["dryRun"] = dry_run
    if operation == "UPDATE" and decision == "denied":
        review["request"]["object"]["metadata"]["annotations"]["vpc.amazonaws.com/pod-eni"] = "[]"
    before = series(server)
    assert server.review(path, review)["allowed"] is (decision != "denied")
    assert difference(server, before, "sgp_webhook_reviews_total") == {
        f"sgp_webhook_reviews_total endpoint={path[1:]} operation={operation} decision={decision} dry_run={str(dry_run).lower()}": 1}
    histogram = difference(server, before, "sgp_webhook_review_duration_seconds_count", "sgp_webhook_review_duration_seconds_bucket")
    assert histogram[f"sgp_webhook_review_duration_seconds_count endpoint={path[1:]}"] == 1
    assert histogram[f"sgp_webhook_review_duration_seconds_bucket endpoint={path[1:]} le=+Inf"] == 1
    assert all(f"endpoint={path[1:]}" in name for name in histogram)
    assert len(difference(server, before, "sgp_webhook_review_duration_seconds_sum")) == 1
    assert difference(server, before, "sgp_webhook_requests_rejected_total") == {}


def test_undecodable_object_is_a_refused_review(server):
    review = pod()
    review["request"]["object"] = []
    before = series(server)
    assert server.review(MUTATE, review)["allowed"] is False
    assert difference(server, before, "sgp_webhook_reviews_total", "sgp_webhook_requests_rejected_total") == {
        "sgp_webhook_reviews_total endpoint=mutate-v1-pod operation=CREATE decision=denied dry_run=false": 1}


def test_histogram_is_cumulative(server):
    for _ in range(20):
        server.post(MUTATE, BODY)
    samples = series(server)
    endpoints = {dict(labels)["endpoint"] for name, labels in samples if name == "sgp_webhook_review_duration_seconds_count"}
    assert len(endpoints) == 5
    for endpoint in endpoints:
        buckets = [(float(dict(labels)["le"]), value) for (name, labels), value in samples.items()
                   if name == "sgp_webhook_review_duration_seconds_bucket" and dict(labels)["endpoint"] == endpoint]
        bounds, counts = zip(*buckets)
        assert (bounds[0], bounds[-2], bounds[-1]) == (1e-5, 10, float("inf")) and list(bounds) == sorted(bounds)
        assert list(counts) == sorted(counts)
        assert counts[-1] == samples["sgp_webhook_review_duration_seconds_count", (("endpoint", endpoint),)]


def with_policy(change):
    review = recorded(1)
    change(review["request"]["object"]["spec"])
    return review


SIX = [f"sg-0123456789abcdef{i}" for i in range(6)]


@pytest.mark.parametrize("path, review, moved", [
    pytest.param(POLICY, with_policy(lambda spec: spec["securityGroups"].update(groupIds=SIX)),
                 {"check=policy-group-count action=deny": 1}, id="deny"),
    pytest.param(POLICY, with_policy(lambda spec: spec.update(podSelector={})),
                 {"check=policy-selects-all action=warn": 1}, id="warn"),
    pytest.param(POLICY, with_policy(lambda spec: spec["securityGroups"].update(groupIds=["a", "b", "b"])),
                 {"check=policy-group-id action=deny": 3, "check=policy-group-duplicate action=warn": 1}, id="several"),
    pytest.param(POLICY, recorded(29), {"check=policy-selector-both action=deny": 1}, id="recorded"),
    pytest.param(MUTATE, recorded(11), {}, id="none"),
])
def test_findings(server, path, review, moved):
    before = series(server)
    server.review(path, review)
    assert difference(server, before, "sgp_webhook_findings_total") == {
        f"sgp_webhook_findings_total {labels}": count for labels, count in moved.items()}


def test_every_check_has_its_series(server):
    config = (DATA.parents[1] / "examples" / "sgp-webhook.yaml").read_text()
    checks = set(re.findall(r"^  (?:# )?((?:policy|pod|node)-[a-z-]+): (?:deny|warn|annotate)$", config, re.M))
    named = {dict(labels)["check"] for name, labels in series(server) if name == "sgp_webhook_findings_total"}
    assert named == checks and len(checks) >= 20


def raw(*pieces):
    def send(server):
        with server.connect() as wire:
            wire.send(*pieces)
            wire.answer(bodyless=True)

    return send


def leave(server):
    with server.connect() as wire:
        wire.send(request_bytes("POST", MUTATE, BODY, length=len(BODY) + 1))


@pytest.mark.parametrize("reason, provoke", [
    ("path", raw(request_bytes("POST", "/nothing", BODY))),
    ("method", raw(request_bytes("GET", MUTATE))),
    ("media_type", raw(request_bytes("POST", MUTATE, BODY, ("Content-Type: text/plain",)))),
    ("framing", raw(request_bytes("POST", MUTATE, BODY, (JSON, "Content-Length: 3")))),
    ("empty", raw(request_bytes("POST", MUTATE))),
    ("bad_request", raw(request_bytes("POST", MUTATE, b"null"))),
    ("too_large", raw(request_bytes("POST", MUTATE, b"", length=1 << 40))),
    ("malformed", raw(request_bytes("POST", MUTATE, BODY, ("no header",)))),
    ("aborted", leave),
])
def test_rejected_requests(server, reason, provoke):
    before = series(server)
    provoke(server)
    name = "sgp_webhook_requests_rejected_total"
    moved = server.wait_for(lambda: difference(server, before, name))
    assert moved == {f"{name} reason={reason}": 1}
    assert difference(server, before, "sgp_webhook_reviews_total") == {}


def test_reasons_exist_before_they_occur(start):
    reasons = {dict(labels)["reason"] for name, labels in series(start()) if name == "sgp_webhook_requests_rejected_total"}
    assert reasons == {"client_certificate", "path", "method", "framing", "media_type", "too_large", "empty", "bad_request",
                       "malformed", "internal", "timeout", "aborted"}


def test_connections(server):
    server.wait_for(lambda: server.metric("sgp_webhook_open_connections") == 0)
    before = series(server)
    wires = [server.connect() for _ in range(3)]
    for wire in wires:
        assert wire.ask("POST", MUTATE, BODY).status == 200
    assert difference(server, before, "sgp_webhook_connections_total", "sgp_webhook_open_connections") == {
        "sgp_webhook_connections_total": 3, "sgp_webhook_open_connections": 3}
    for wire in wires:
        wire.close()
    server.wait_for(lambda: server.metric("sgp_webhook_open_connections") == 0)
    assert difference(server, before, "sgp_webhook_connections_total") == {"sgp_webhook_connections_total": 3}


def test_policies_and_their_source(start, tmp_path):
    directory = tmp_path / "policies"
    directory.mkdir()
    started = time.time()
    server = start("--policies", directory)
    gauges = ("sgp_webhook_policies", "sgp_webhook_policies_inert", "sgp_webhook_namespaces")

    def values():
        return tuple(server.metric(name) for name in gauges)

    assert values() == (0, 0, 0)
    assert server.metric("sgp_webhook_source_objects", source="files") == 0
    first = server.metric("sgp_webhook_source_last_success_timestamp_seconds", source="files")
    assert started - 1 <= first <= time.time() + 1
    (directory / "a.yaml").write_text(policy("a", "sg-01234567") + "\n---\n" + policy("b", "sg-01234567"))
    server.wait_for(lambda: values() == (2, 0, 1))
    assert server.metric("sgp_webhook_source_objects", source="files") >= 2
    assert server.metric("sgp_webhook_service_accounts") == 1  # default, which every namespace has
    assert server.metric("sgp_webhook_source_last_success_timestamp_seconds", source="files") > first
    inert = json.loads(policy("c", "sg-01234567"))
    inert["spec"].pop("podSelector")
    inert["metadata"]["namespace"] = "other"
    (directory / "b.json").write_text(json.dumps(inert))
    server.wait_for(lambda: values() == (3, 1, 2))
    (directory / "a.yaml").unlink()
    server.wait_for(lambda: values() == (1, 1, 1))
    before = series(server)
    (directory / "b.json").write_text("{")
    server.wait_for(lambda: server.events("source-failed"))
    server.wait_for(lambda: difference(server, before, "sgp_webhook_source_reload_errors_total"))
    assert difference(server, before, *gauges, "sgp_webhook_source_last_success_timestamp_seconds") == {}
    assert difference(server, before, "sgp_webhook_source_last_reload_success") == {
        "sgp_webhook_source_last_reload_success source=files": -1}


def test_ready(start, tmp_path):
    path = tmp_path / "later.yaml"
    server = start("--policies", path)
    assert server.metric("sgp_webhook_ready") == 0
    path.write_text(policy("p", "sg-01234567"))
    server.wait_for(lambda: server.metric("sgp_webhook_ready") == 1)


def test_certificate_expiry(server):
    certificate = ssl._ssl._test_decode_cert(str(server.certs / "tls.crt"))
    assert server.metric("sgp_webhook_certificate_expiry_timestamp_seconds") == ssl.cert_time_to_seconds(certificate["notAfter"])


def test_build_and_process(server, sgp):
    samples = series(server)
    version = sgp("version").stdout.strip()
    (labels,) = [dict(labels) for name, labels in samples if name == "sgp_webhook_build_info"]
    assert labels["version"] in version and samples["sgp_webhook_build_info", tuple(labels.items())] == 1
    process = {name: value for (name, _), value in samples.items() if name.startswith("process_")}
    stat = f"/proc/{server.process.pid}"
    assert process.keys() == {"process_cpu_seconds_total", "process_open_fds", "process_max_fds", "process_virtual_memory_bytes",
                              "process_resident_memory_bytes", "process_start_time_seconds"}
    assert 5 < process["process_open_fds"] < 100 <= process["process_max_fds"]
    assert abs(process["process_start_time_seconds"] - time.time()) < 3600
    assert 1 << 20 < process["process_resident_memory_bytes"] < process["process_virtual_memory_bytes"]
    with open(f"{stat}/statm", encoding="ascii") as file:
        resident = int(file.read().split()[1]) * 4096
    assert abs(process["process_resident_memory_bytes"] - resident) < 8 << 20


@pytest.mark.threads
def test_counting_in_parallel(server):
    """No count is lost between threads."""
    context, before = server.context(), series(server)

    def ask():
        with server.connect(context) as wire:
            for _ in range(50):
                wire.ask("POST", MUTATE, BODY)
                wire.ask("POST", "/nothing", BODY)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    moved = difference(server, before, "sgp_webhook_reviews_total", "sgp_webhook_requests_rejected_total", "sgp_webhook_connections_total")
    assert moved == {"sgp_webhook_reviews_total endpoint=mutate-v1-pod operation=CREATE decision=allowed dry_run=false": 200,
                     "sgp_webhook_requests_rejected_total reason=path": 200, "sgp_webhook_connections_total": 4}
