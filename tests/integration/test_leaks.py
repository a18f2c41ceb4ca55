"""A long mixed load leaves nothing behind: no leak at the end, no growth on the way."""
import json
import pathlib
import re

import pytest

from conftest import BINARY, DATA, MUTATE, policy, pod, replace, request_bytes

ENDPOINTS = {"mutate-v1-pod": MUTATE, "validate-v1-pod": "/validate-v1-pod", "validate-v1-node": "/validate-v1-node",
             "validate-workload": "/validate-workload", "validate-securitygrouppolicy": "/validate-v1beta1-securitygrouppolicy"}
JSON = "Content-Type: application/json"
GROWTH_BYTES = 1 << 20
CONNECTIONS = 4
# Short: a request that is never finished holds up the end for so long.
CONFIG = {"threads": 2, "timeouts": {"requestSeconds": 3}}


def mixed_requests():
    """Request, status, whether the connection ends with it."""
    for path in sorted((DATA / "reviews").glob("*.json")):
        name = path.name.split("-", 1)[1]
        endpoint = next(endpoint for prefix, endpoint in ENDPOINTS.items() if name.startswith(prefix))
        yield request_bytes("POST", endpoint + "?timeout=10s", path.read_bytes()), 200
    good = json.dumps(pod()).encode()
    for body in (b"", b"null", b"[" * 1500 + b"]" * 1500, good[:-1], good + good, b"\xff", b"{}",
                 good.replace(b'"u-1"', b'"u-1", "uid": "u-2"')):
        yield request_bytes("POST", MUTATE, body), 400
    yield request_bytes("POST", MUTATE, good.replace(b'"containers": [', b'"containers": [5, ')), 200
    yield request_bytes("POST", "/nothing", good), 404
    yield request_bytes("GET", MUTATE), 405
    yield request_bytes("POST", MUTATE, good, ("Content-Type: text/plain",)), 415
    yield request_bytes("POST", MUTATE, b" " * 70_000), 400
    yield request_bytes("POST", MUTATE, good, (JSON, "Content-Length: 3")), 400
    yield request_bytes("POST", MUTATE, b"", length=1 << 30), 413
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(good), good)
    yield request_bytes("POST", MUTATE, chunked, (JSON, "Transfer-Encoding: chunked"), length=""), 200


class Mixture:
    """Sends the requests in turn over a few connections, and reads the policies again now and then."""

    def __init__(self, server, policies):
        self.server, self.policies, self.requests = server, policies, list(mixed_requests())
        self.context, self.wires, self.sent = server.context(), [None] * CONNECTIONS, 0

    def send(self, count):
        for _ in range(count):
            self._one(*self.requests[self.sent % len(self.requests)])
            self.sent += 1
            if self.sent % 500 == 0:
                replace(self.policies, policy(f"p{self.sent}", "sg-01234567") if self.sent % 1500 else "broken: [")

    def _one(self, raw, status):
        at = self.sent // 7 % CONNECTIONS
        wire = self.wires[at] = self.wires[at] or self.server.connect(self.context)
        wire.send(raw)
        answer = wire.answer()
        assert answer.status == status, (raw[:200], answer.body)
        if answer.headers.get("connection") == "close":
            wire.drain()
            wire.close()
            self.wires[at] = None

    def leave(self):
        """One connection is closed, one is left idle, one in the middle of a request, and one that never began."""
        for wire, end in zip(self.wires, ("close", "idle", "middle", "close")):
            if wire and end == "close":
                wire.close()
            if wire and end == "middle":
                wire.send(request_bytes("POST", MUTATE, b"{", length=1000))
        self.wires[3] = self.server.connect(context=False)

    def resident_bytes(self):
        return self.server.metric("process_resident_memory_bytes")


def is_sanitized():
    binary = pathlib.Path(BINARY).read_bytes()
    return b"__asan_init" in binary or b"__tsan_init" in binary


@pytest.fixture
def policies(tmp_path):
    path = tmp_path / "policies.yaml"
    path.write_text(policy("p", "sg-01234567"))
    return path


def assert_ends_without_complaint(server):
    code = server.stop(seconds=120)
    text = server.log_path.read_text()
    complaints = re.findall(r"^.*(?:Sanitizer|runtime error:|definitely lost: [1-9]|Invalid (?:read|write|free)).*$", text, re.M)
    assert (code, complaints) == (0, []), "\n".join(line for line in text.splitlines() if not line.startswith("{"))


def test_ten_thousand_requests(start, policies):
    server = start("--policies", DATA / "manifests.yaml", "--policies", policies, config=CONFIG)
    mixture = Mixture(server, policies)
    mixture.send(2_000)
    before = mixture.resident_bytes()
    mixture.send(8_000)
    grown = mixture.resident_bytes() - before
    replace(policies, "broken: [")  # the last one stands long enough to be read
    server.wait_for(lambda: server.events("source-failed"))
    mixture.leave()
    assert_ends_without_complaint(server)
    if not is_sanitized():  # sanitizers keep freed memory for a while
        assert grown < GROWTH_BYTES


# This version of valgrind knows memmove, as the compiler calls it in hardened builds, by the name of memcpy.
SUPPRESSIONS = """{
   memmove
   Memcheck:Overlap
   fun:__memcpy_chk
}
"""


@pytest.mark.skipif(is_sanitized(), reason="the sanitizer does valgrind's work in every test")
def test_thousand_requests_under_valgrind(start, policies, tmp_path):
    suppressions = tmp_path / "valgrind.supp"
    suppressions.write_text(SUPPRESSIONS)
    server = start("--policies", DATA / "manifests.yaml", "--policies", policies, config=CONFIG,
                   runner=["valgrind", "--leak-check=full", "--errors-for-leak-kinds=definite", "--error-exitcode=9",
                           f"--suppressions={suppressions}"])
    mixture = Mixture(server, policies)
    mixture.send(1_000)
    mixture.leave()
    assert_ends_without_complaint(server)
    assert "ERROR SUMMARY: 0 errors" in server.log_path.read_text()
