"""HTTP and TLS on the admission port: malformed and unusual requests, each with its whole answer, and clients that misbehave."""
import base64
import copy
import json
import socket
import ssl
import subprocess
import time

import pytest

from conftest import DATA, Wire, request_bytes

PATH = "/mutate-v1-pod"
JSON = "Content-Type: application/json"
CHUNKED = "Transfer-Encoding: chunked"
BODY_BYTES = 100_000
POD = (DATA / "reviews" / "011-mutate-v1-pod-create-pod-my-deployment-5f4f6f5485.json").read_bytes()
REVIEW = json.loads(POD)
UID = REVIEW["request"]["uid"]
TEXT = "text/plain; charset=utf-8"
ENDPOINTS = ("there is nothing at this path; AdmissionReviews are answered at /mutate-v1-pod, /validate-v1-pod, "
             "/validate-v1beta1-securitygrouppolicy, /validate-v1-node, /validate-workload\n")
FRAMING = "give the length of the body once, by Content-Length or by Transfer-Encoding: chunked\n"
TOO_LARGE = f"the body is too large: at most {BODY_BYTES} bytes are read\n"
EMPTY = "the body is empty: send an AdmissionReview\n"
MEDIA = "send JSON, with Content-Type: application/json\n"
METHOD = "send an AdmissionReview with POST\n"
GROUPS = {"security-groups": "sg-0123456789abcdef0", "policies": "my-security-group-policy"}
BRANCH = {"vpc.amazonaws.com/pod-eni": "1"}
ADDED = [{"op": "add", "path": f"/spec/containers/0/resources/{kind}/vpc.amazonaws.com~1pod-eni", "value": "1"}
         for kind in ("limits", "requests")]
PATCHED = {"allowed": True, "patch": ADDED, "auditAnnotations": GROUPS}
LEFT_ALONE = {"allowed": True}
ABSENT = object()


@pytest.fixture(scope="module")
def server(start_for_module):
    return start_for_module("--policies", DATA / "manifests.yaml",
                            config={"limits": {"bodyBytes": BODY_BYTES}, "log": {"level": "debug"}})


def changed(path, value, of=REVIEW):
    """The recorded review with one value replaced, or removed."""
    review = copy.deepcopy(of)
    target = review
    *way, last = path
    for key in way:
        target = target[key]
    if value is ABSENT:
        del target[last]
    else:
        target[last] = value
    return json.dumps(review).encode()


def envelope(*path):
    return lambda value: changed(path, value)


def in_object(*path):
    return lambda value: changed(("request", "object", *path), value)


def in_text(old, new):
    body = json.dumps(REVIEW).encode()
    assert old in body
    return body.replace(old, new, 1)


def nested(count):
    return b"[" * count + b"]" * count


def chunks(*pieces, end=b"0\r\n\r\n"):
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + end


def chunked(body):
    return request_bytes("POST", PATH, body, (JSON, CHUNKED), length="")


def post(body, path=PATH, headers=(JSON,), **kwargs):
    return request_bytes("POST", path, body, headers, **kwargs)


def announced(length, body=b""):
    return post(body, length=length)


def without_body(method, path=PATH):
    return request_bytes(method, path, length="")


# What follows the request on the same connection: another request that is answered, or its end.
USABLE, CLOSED = "usable", "closed"


def refused(status, sentence, then=USABLE, **headers):
    """An answer in plain text."""
    return {"status": status, "content-type": TEXT, "then": then, "body": sentence, **headers}


def library(status):
    """Before any of our code sees the request, libmicrohttpd answers with a page of its own, and hangs up."""
    return {"status": status, "then": CLOSED}


def answered(uid=UID, version="admission.k8s.io/v1", then=USABLE, **response):
    return {"status": 200, "content-type": "application/json", "then": then, "version": version,
            "response": {"uid": uid, **response}}


def undecodable(message):
    """A good review of an object that cannot be read."""
    return answered(allowed=False, status={"metadata": {}, "status": "Failure", "message": message, "reason": "BadRequest",
                                           "details": {"kind": "Pod"}, "code": 400})


def bad(message):
    return refused(400, message + "\n")


NO_BODY = [
    ("no body and no length", without_body("POST"), refused(400, EMPTY)),
    ("empty body", post(b""), refused(400, EMPTY)),
    ("empty chunked body", chunked(b"0\r\n\r\n"), refused(400, EMPTY)),
]

BODIES = [
    ("blank body", post(b"  \n"), bad("expected a value, but the text ends at byte 3")),
    ("null", post(b"null"), bad("null where an object belongs")),
    ("list", post(b"[]"), bad("a list where an object belongs")),
    ("string", post(b'"AdmissionReview"'), bad("a string where an object belongs")),
    ("empty object", post(b"{}"), bad("apiVersion: '' is neither admission.k8s.io/v1 nor admission.k8s.io/v1beta1")),
    ("truncated after a brace", post(POD[:1]), bad("expected a member's name in quotes, but the text ends at byte 1")),
    ("truncated in a string", post(POD[:12]), bad("expected the end of a string, but the text ends at byte 12")),
    ("truncated in a word", post(b'{"dryRun": fal'), bad("expected a value at byte 11")),
    ("truncated before the last brace", post(POD.rstrip()[:-1]), bad(f"expected , or }}, but the text ends at byte {len(POD.rstrip()) - 1}")),
    ("2,000 nested arrays", post(nested(2000)), bad("a list where an object belongs")),
    ("3,000 nested arrays", post(nested(3000)), bad("nested too deep at byte 2048")),
    ("3,000 opened arrays", post(b"[" * 3000), bad("nested too deep at byte 2048")),
    ("100,000 opened objects", post(b'{"a":' * 20000), bad("nested too deep at byte 10240")),
    ("2,000 nested arrays in the pod", post(in_text(b'"spec": {', b'"spec": {"x": %s, ' % nested(2000))),
     answered(patchType="JSONPatch", **PATCHED)),
    ("3,000 nested arrays in the pod", post(in_text(b'"spec": {', b'"spec": {"x": %s, ' % nested(3000))),
     {"status": 400, "content-type": TEXT, "then": USABLE, "part": "nested too deep at byte "}),
    ("duplicate kind", post(b'{"kind":"AdmissionReview",' + POD[1:]), bad("kind: occurs twice")),
    ("duplicate uid", post(in_text(b'"request": {', b'"request": {"uid": "other", ')), bad("request.uid: occurs twice")),
    ("duplicate object", post(in_text(b'"request": {', b'"request": {"object": null, ')), undecodable("request.object: occurs twice")),
    ("duplicate account name in the pod", post(in_text(b'"spec": {', b'"spec": {"serviceAccountName": "admin", ')),
     undecodable("request.object.spec.serviceAccountName: occurs twice")),
    ("duplicate label in the pod", post(in_text(b'"role": "my-role"', b'"role": "my-role", "role": "other"')),
     undecodable("request.object.metadata.labels[role]: occurs twice")),
    ("duplicate key that nobody reads", post(in_text(b'"spec": {', b'"spec": {"priority": 1, ')),
     answered(patchType="JSONPatch", **PATCHED)),
    ("invalid UTF-8", post(b'{"kind":"\xff"}'), bad("invalid UTF-8 at byte 9")),
    ("overlong UTF-8", post(b'{"kind":"\xc0\x80"}'), bad("invalid UTF-8 at byte 9")),
    ("surrogate in UTF-8", post(b'{"kind":"\xed\xa0\x80"}'), bad("invalid UTF-8 at byte 9")),
    ("half a surrogate pair", post(b'{"kind":"\\ud800"}'), bad("invalid escape in a string at byte 9")),
    ("invalid UTF-8 in the pod", post(in_text(b'"my-role"', b'"\xff"')), {
        "status": 400, "content-type": TEXT, "then": USABLE, "part": "invalid UTF-8 at byte "}),
    ("NUL in a string", post(b'{"kind":"a\0b"}'), bad("control character in a string at byte 10")),
    ("NUL behind the review", post(POD + b"\0"), bad(f"expected nothing more at byte {len(POD)}")),
    ("NUL alone", post(b"\0"), bad("expected a value at byte 0")),
    ("byte order mark", post(b"\xef\xbb\xbf" + POD), bad("expected a value at byte 0")),
    ("UTF-16", post(POD.decode().encode("utf-16-le")), bad("expected a member's name in quotes at byte 1")),
    ("two reviews", post(POD + POD), bad(f"expected nothing more at byte {len(POD)}")),
    ("white space behind the review", post(POD + b" \r\n\t"), answered(patchType="JSONPatch", **PATCHED)),
    ("comment", post(b"// a pod\n" + POD), bad("expected a value at byte 0")),
    ("trailing comma", post(b'{"kind":"AdmissionReview",}'), bad("expected a member's name in quotes at byte 26")),
    ("single quotes", post(b"{'kind':'AdmissionReview'}"), bad("expected a member's name in quotes at byte 1")),
    ("not a number", post(b'{"kind":NaN}'), bad("expected a value at byte 8")),
    ("leading zero", post(b'{"other":01}'), bad("expected , or } at byte 10")),
    ("a form", post(b"kind=AdmissionReview&uid=1"), bad("expected a value at byte 0")),
]

ENVELOPES = [(f"{name}: {value_name}", post(make(value)), expected) for name, make, cases in [
    ("request", envelope("request"), [
        ("absent", ABSENT, bad("request: missing")),
        ("null", None, bad("request: missing")),
        ("list", [], bad("request: a list where an object belongs"))]),
    ("uid", envelope("request", "uid"), [
        ("absent", ABSENT, bad("request.uid: missing, the answer has to repeat it")),
        ("null", None, bad("request.uid: missing, the answer has to repeat it")),
        ("empty", "", bad("request.uid: missing, the answer has to repeat it")),
        ("number", 5, bad("request.uid: a number where a string belongs")),
        ("huge", "x" * 60_000, answered(uid="x" * 60_000, patchType="JSONPatch", **PATCHED)),
        ("quotes", 'a"b\\c/\n\t\x01é😀</script>', answered(uid='a"b\\c/\n\t\x01é😀</script>', patchType="JSONPatch", **PATCHED))]),
    ("kind", envelope("kind"), [
        ("absent", ABSENT, bad("kind: '' is not AdmissionReview")),
        ("Pod", "Pod", bad("kind: 'Pod' is not AdmissionReview")),
        ("number", 3, bad("kind: a number where a string belongs"))]),
    ("apiVersion", envelope("apiVersion"), [
        ("absent", ABSENT, bad("apiVersion: '' is neither admission.k8s.io/v1 nor admission.k8s.io/v1beta1")),
        ("v2", "admission.k8s.io/v2", bad(
            "apiVersion: 'admission.k8s.io/v2' is neither admission.k8s.io/v1 nor admission.k8s.io/v1beta1")),
        ("number", 1, bad("apiVersion: a number where a string belongs")),
        ("v1beta1", "admission.k8s.io/v1beta1", answered(version="admission.k8s.io/v1beta1", patchType="JSONPatch", **PATCHED))]),
    ("kind of the object", envelope("request", "kind"), [
        ("absent", ABSENT, bad("request.kind.kind: missing")),
        ("string", "Pod", bad("request.kind: a string where an object belongs")),
        ("number in it", {"group": "", "version": "v1", "kind": 7}, bad("request.kind.kind: a number where a string belongs"))]),
    ("operation", envelope("request", "operation"), [
        ("absent", ABSENT, bad("request.operation: '' is not CREATE, UPDATE, DELETE or CONNECT")),
        ("lower case", "create", bad("request.operation: 'create' is not CREATE, UPDATE, DELETE or CONNECT")),
        ("number", 1, bad("request.operation: a number where a string belongs"))]),
    ("namespace", envelope("request", "namespace"), [
        ("number", 3, bad("request.namespace: a number where a string belongs")),
        ("unknown", "nowhere", answered(**LEFT_ALONE))]),
    ("dryRun", envelope("request", "dryRun"), [
        ("string", "yes", bad("request.dryRun: a string where true or false belongs")),
        ("null", None, answered(patchType="JSONPatch", **PATCHED))]),
    ("userInfo", envelope("request", "userInfo"), [
        ("list", [], bad("request.userInfo: a list where an object belongs")),
        ("null", None, answered(patchType="JSONPatch", **PATCHED))]),
] for value_name, value, expected in cases]

OBJECTS = [(f"{name}: {value_name}", post(make(value)), expected) for name, make, cases in [
    ("object", envelope("request", "object"), [
        ("absent", ABSENT, answered(**LEFT_ALONE)),
        ("null", None, answered(**LEFT_ALONE)),
        ("list", [], undecodable("request.object: a list where an object belongs")),
        ("string", "pod", undecodable("request.object: a string where an object belongs"))]),
    ("metadata", in_object("metadata"), [
        ("null", None, answered(**LEFT_ALONE)),
        ("string", "x", undecodable("request.object.metadata: a string where an object belongs"))]),
    ("labels", in_object("metadata", "labels"), [
        ("null", None, answered(**LEFT_ALONE)),
        ("list", [], undecodable("request.object.metadata.labels: a list where an object belongs")),
        ("number in it", {"role": 1}, undecodable("request.object.metadata.labels[role]: a number where a string belongs"))]),
    ("spec", in_object("spec"), [
        ("null", None, answered(allowed=True, auditAnnotations=GROUPS)),
        ("list", [], undecodable("request.object.spec: a list where an object belongs"))]),
    ("containers", in_object("spec", "containers"), [
        ("empty", [], answered(allowed=True, auditAnnotations=GROUPS)),
        ("null", None, answered(allowed=True, auditAnnotations=GROUPS)),
        ("absent", ABSENT, answered(allowed=True, auditAnnotations=GROUPS)),
        ("object", {}, undecodable("request.object.spec.containers: an object where a list belongs")),
        ("string in it", ["c"], undecodable("request.object.spec.containers[0]: a string where an object belongs")),
        ("number for a name", [{"name": 5}], undecodable("request.object.spec.containers[0].name: a number where a string belongs")),
        ("null resources", [{"name": "c", "resources": None}], answered(
            allowed=True, patchType="JSONPatch", auditAnnotations=GROUPS,
            patch=[{"op": "add", "path": "/spec/containers/0/resources", "value": {"limits": BRANCH, "requests": BRANCH}}]))]),
    ("grace period", in_object("spec", "terminationGracePeriodSeconds"), [
        ("fraction", 1.5, undecodable("request.object.spec.terminationGracePeriodSeconds: a fraction where an integer belongs")),
        ("string", "5", undecodable("request.object.spec.terminationGracePeriodSeconds: a string where an integer belongs"))]),
    ("hostNetwork", in_object("spec", "hostNetwork"), [
        ("string", "true", undecodable("request.object.spec.hostNetwork: a string where true or false belongs"))]),
] for value_name, value, expected in cases]

METHODS = [(f"{method} {name}", raw, refused(405, "" if method == "HEAD" else METHOD, allow="POST"))
           for method in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW")
           for name, raw in (("alone", without_body(method)), ("with a body", request_bytes(method, PATH, POD)))]

PATHS = [
    *((f"path {path}", post(POD, path), refused(404, ENDPOINTS)) for path in (
        "/", "/mutate", PATH + "/", "/" + PATH, PATH + "//", "/." + PATH, "/MUTATE-V1-POD", PATH + "%00", "/mutate%2Dv1-pod",
        PATH + "#x", "https://localhost" + PATH, "/healthz", "/metrics", "/../" + PATH, "*")),
    ("GET of an unknown path", without_body("GET", "/"), refused(404, ENDPOINTS)),
    ("HEAD of an unknown path", without_body("HEAD", "/"), refused(404, "")),
    *((f"query {query}", post(POD, PATH + query), answered(patchType="JSONPatch", **PATCHED))
      for query in ("?timeout=10s", "?", "?a=b&c&=d", "?%zz%00", "?" + "x" * 8000)),
]

MEDIA_TYPES = [
    *((f"media type {value or 'absent'}", post(POD, headers=(f"Content-Type: {value}",) if value else ()), refused(415, MEDIA))
      for value in ("", "text/plain", "application/jsonp", "application/json, text/plain", "application/x-www-form-urlencoded",
                    "application/yaml", "json", "charset=utf-8; application/json")),
    *((f"media type {value}", post(POD, headers=(f"Content-Type: {value}",)), answered(patchType="JSONPatch", **PATCHED))
      for value in ("application/json; charset=utf-8", "APPLICATION/JSON", "application/json;", "application/json \t;x=y")),
    ("media type twice", post(POD, headers=(JSON, JSON)), refused(400, FRAMING, CLOSED, connection="close")),
]

LENGTHS = [
    ("length too short", post(POD, length=100),
     {"status": 400, "content-type": TEXT, "part": "but the text ends at byte 100", "then": CLOSED}),
    *((f"length {length!r}", announced(length, b"hello"), library(400)) for length in ("-5", "five", "+5", "0x5", "5,5", "1e3", "5 5")),
    ("length beyond all numbers", announced("9" * 30), library(413)),
    ("two lengths", post(POD, headers=(JSON, "Content-Length: 3")), refused(400, FRAMING, CLOSED, connection="close")),
    ("two equal lengths", post(POD, headers=(JSON, f"Content-Length: {len(POD)}")),
     refused(400, FRAMING, CLOSED, connection="close")),
    ("length and chunks", post(chunks(POD), headers=(JSON, CHUNKED)), refused(400, FRAMING, CLOSED, connection="close")),
    ("unknown transfer encoding", post(b"", headers=(JSON, "Transfer-Encoding: gzip"), length=""),
     refused(400, FRAMING, CLOSED, connection="close")),
    ("two transfer encodings", post(chunks(POD), headers=(JSON, "Transfer-Encoding: gzip, chunked"), length=""),
     refused(400, FRAMING, CLOSED, connection="close")),
    ("one chunk", chunked(chunks(POD)), answered(patchType="JSONPatch", **PATCHED)),
    ("many chunks", chunked(chunks(*(POD[i:i + 7] for i in range(0, len(POD), 7)))), answered(patchType="JSONPatch", **PATCHED)),
    ("chunks with extension and trailer", chunked(b"%x;a=b\r\n%s\r\n0\r\nX-Trailer: y\r\n\r\n" % (len(POD), POD)),
     answered(patchType="JSONPatch", **PATCHED)),
    ("chunk size that is no number", chunked(b"five\r\nhello\r\n0\r\n\r\n"), library(400)),
    ("chunk longer than its size", chunked(b"3\r\nhello\r\n0\r\n\r\n"), library(400)),
    ("chunk size beyond all numbers", chunked(b"f" * 20 + b"\r\nhello\r\n0\r\n\r\n"), library(413)),
    ("chunks over the limit", chunked(chunks(*[b" " * 10_000] * 15)), refused(413, TOO_LARGE, CLOSED, connection="close")),
    ("body at the limit", post(POD.ljust(BODY_BYTES)), answered(patchType="JSONPatch", **PATCHED)),
    ("body over the limit", post(POD.ljust(BODY_BYTES + 1)), refused(413, TOO_LARGE, CLOSED, connection="close")),
    ("body far over the limit", post(b" " * 3_000_000), refused(413, TOO_LARGE, CLOSED, connection="close")),
    ("announced over the limit and not sent", announced(2_000_000_000), refused(413, TOO_LARGE, CLOSED, connection="close")),
    ("too large for an unknown path", post(b" " * 200_000, "/nothing"), refused(404, ENDPOINTS, CLOSED, connection="close")),
    ("expecting to be refused", post(b"", headers=(JSON, "Expect: 100-continue"), length=BODY_BYTES + 1),
     refused(413, TOO_LARGE, CLOSED, connection="close")),
    ("expecting an unknown path", post(b"", "/nothing", (JSON, "Expect: 100-continue"), length=10),
     {**refused(404, ENDPOINTS), "then": CLOSED}),
]

HEADS = [
    ("HTTP/1.0", f"POST {PATH} HTTP/1.0\r\n{JSON}\r\nContent-Length: {len(POD)}\r\n\r\n".encode() + POD,
     answered(then=CLOSED, patchType="JSONPatch", **PATCHED)),
    ("HTTP/1.0 with keep-alive",
     f"POST {PATH} HTTP/1.0\r\nConnection: keep-alive\r\n{JSON}\r\nContent-Length: {len(POD)}\r\n\r\n".encode() + POD,
     answered(patchType="JSONPatch", **PATCHED)),
    ("HTTP/2.0", f"POST {PATH} HTTP/2.0\r\n\r\n".encode(), library(505)),
    ("HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", library(505)),
    ("no HTTP at all", b"hello there\r\n\r\n", library(400)),
    ("header without a colon", post(POD, headers=(JSON, "nonsense")), library(400)),
    ("header over the limit", post(POD, headers=(JSON, "X-Long: " + "x" * 40_000)), library(431)),
    ("2,000 headers", post(POD, headers=(JSON, *(f"X-{i}: {i}" for i in range(2000)))), library(431)),
    ("path over the limit", post(POD, "/" + "x" * 40_000), library(414)),
    ("closing politely", post(POD, headers=(JSON, "Connection: close")),
     answered(then=CLOSED, patchType="JSONPatch", **PATCHED)),
    ("upgrade to HTTP/2", post(POD, headers=(JSON, "Connection: Upgrade", "Upgrade: h2c")),
     answered(patchType="JSONPatch", **PATCHED)),
    ("accepting gzip", post(POD, headers=(JSON, "Accept-Encoding: gzip")), answered(patchType="JSONPatch", **PATCHED)),
    ("line feeds alone", post(POD).replace(b"\r\n", b"\n"), answered(patchType="JSONPatch", **PATCHED)),
]

ROWS = NO_BODY + BODIES + ENVELOPES + OBJECTS + METHODS + PATHS + MEDIA_TYPES + LENGTHS + HEADS


def decoded(response):
    """The response with its patch in clear."""
    if "patch" in response:
        response["patch"] = json.loads(base64.b64decode(response["patch"]))
    return response


def assert_good(answer):
    assert answer.status == 200
    assert decoded(answer.json()["response"]) == {"uid": UID, "patchType": "JSONPatch", **PATCHED}


def assert_answer(answer, expected):
    assert answer.status == expected["status"], answer.body
    for name in ("content-type", "allow", "connection"):
        if name in expected:
            assert answer.headers.get(name) == expected[name]
    if expected["status"] != 405:
        assert "allow" not in answer.headers
    if expected["then"] == USABLE:
        assert answer.headers.get("connection", "Keep-Alive") == "Keep-Alive"
    if "body" in expected:
        assert answer.body.decode() == expected["body"]
    if "part" in expected:
        assert expected["part"] in answer.body.decode()
    if "response" in expected:
        body = answer.json()
        assert {**body, "response": decoded(body["response"])} == {
            "kind": "AdmissionReview", "apiVersion": expected["version"], "response": expected["response"]}


def test_there_are_enough_rows():
    assert len(ROWS) >= 40 and len({row[0] for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("raw, expected", [pytest.param(*row[1:], id=row[0]) for row in ROWS])
def test_request(server, raw, expected):
    with server.connect() as wire:
        try:
            wire.send(raw)
        except (BrokenPipeError, ConnectionResetError):
            assert expected["then"] == CLOSED  # what was said before the end can still be read
        assert_answer(wire.answer(bodyless=raw.startswith(b"HEAD ")), expected)
        if expected["then"] == USABLE:
            assert_good(wire.ask("POST", PATH, POD))
        else:
            wire.drain()
    with server.connect() as wire:
        assert_good(wire.ask("POST", PATH, POD))


def test_length_longer_than_the_body(server):
    aborted = server.metric("sgp_webhook_requests_rejected_total", reason="aborted")
    with server.connect() as wire:
        wire.send(post(POD, length=len(POD) + 1))
    server.wait_for(lambda: server.metric("sgp_webhook_requests_rejected_total", reason="aborted") == aborted + 1)
    assert server.post(PATH, POD)[0] == 200


def test_expectation_is_met(server):
    with server.connect() as wire:
        wire.send(post(b"", headers=(JSON, "Expect: 100-continue"), length=len(POD)))
        assert wire.answer().status == 100
        wire.send(POD)
        assert_good(wire.answer())
        assert_good(wire.ask("POST", PATH, POD))


def test_curl_is_told_before_it_sends_a_large_body(server):
    status, body = server.curl(PATH, "-H", JSON, "-H", "Expect: 100-continue", "--data-binary", "@-", stdin=b" " * 5_000_000)
    assert (status, body.decode()) == (413, TOO_LARGE)


def test_curl_reads_the_refusal_of_a_large_body_that_it_sends(server):
    status, body = server.curl(PATH, "-H", JSON, "-H", "Expect:", "--data-binary", "@-", stdin=b" " * 5_000_000)
    assert (status, body.decode()) == (413, TOO_LARGE)


def test_curl_sends_chunks(server):
    status, body = server.curl(PATH, "-H", JSON, "-H", CHUNKED, "--data-binary", "@-", stdin=POD)
    assert status == 200 and json.loads(body)["response"]["uid"] == UID


def test_head_has_headers_only(server):
    status, body = server.curl(PATH, "--head")
    assert status == 405 and b"Allow: POST" in body


def test_requests_in_one_packet_are_answered_in_order(server):
    with server.connect() as wire:
        wire.send(post(POD) + post(POD, "/nothing") + without_body("GET") + post(b"null") + post(POD))
        assert_good(wire.answer())
        assert [wire.answer().status for _ in range(3)] == [404, 405, 400]
        assert_good(wire.answer())


def test_request_byte_by_byte(server):
    raw = post(POD[:200].rstrip(), "/nothing")
    with server.connect() as wire:
        wire.send(*(raw[i:i + 1] for i in range(len(raw))))
        assert wire.answer().status == 404
        assert_good(wire.ask("POST", PATH, POD))


def test_connection_is_kept_for_many_requests(server):
    opened = server.metric("sgp_webhook_connections_total")
    with server.connect() as wire:
        for _ in range(150):
            assert_good(wire.ask("POST", PATH, POD))
    assert server.metric("sgp_webhook_connections_total") == opened + 1


def recorded_requests():
    """The heads as an API server sent them, by the name of the file with the body."""
    for block in (DATA / "reviews" / "request-headers.txt").read_text().split("\n\n"):
        lines = block.strip().splitlines()
        if lines and lines[0].endswith(".json"):
            yield pytest.param(lines[0], lines[1:], id=lines[0][:3])


@pytest.mark.parametrize("name, head", recorded_requests())
def test_recorded_request(server, name, head):
    body = (DATA / "reviews" / name).read_bytes()
    head = [line.replace("/validate-securitygrouppolicy", "/validate-v1beta1-securitygrouppolicy") for line in head]
    head = [f"Content-Length: {len(body)}" if line.startswith("Content-Length:") else line for line in head]
    assert "Accept-Encoding: gzip" in head and "User-Agent: kube-apiserver-admission" in head
    with server.connect() as wire:
        wire.send("\r\n".join(head) + "\r\n\r\n", body)
        answer = wire.answer()
        assert answer.status == 200 and answer.headers["content-type"] == "application/json"
        assert "content-encoding" not in answer.headers
        assert answer.json()["response"]["uid"] == json.loads(body)["request"]["uid"]
        assert_good(wire.ask("POST", PATH, POD))


# TLS

@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=lambda version: version.name)
def test_tls_version_is_accepted(server, version):
    with server.connect(server.context(minimum_version=version, maximum_version=version)) as wire:
        assert_good(wire.ask("POST", PATH, POD))
        cipher, _, bits = wire.socket.cipher()
        assert bits >= 128 and ("GCM" in cipher or "CHACHA20" in cipher)
        if version is ssl.TLSVersion.TLSv1_2:
            assert cipher.startswith("ECDHE-")


@pytest.mark.parametrize("option", ["-tls1", "-tls1_1"])
def test_older_tls_is_refused(server, option):
    done = subprocess.run(["openssl", "s_client", option, "-cipher", "DEFAULT@SECLEVEL=0", "-connect", f"127.0.0.1:{server.port}"],
                          input=b"", capture_output=True, timeout=30)
    assert done.returncode != 0
    assert b"no peer certificate available" in done.stdout and b"Cipher is (NONE)" in done.stdout


@pytest.mark.parametrize("ciphers", ["AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA"])
def test_weak_cipher_is_refused(server, ciphers):
    context = server.context(maximum_version=ssl.TLSVersion.TLSv1_2)
    context.set_ciphers(ciphers + ":@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        server.connect(context)


def test_certificate_names_this_machine(server):
    context = server.context()
    for name in ("localhost", "127.0.0.1", "::1"):
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as plain:
            context.wrap_socket(plain, server_hostname=name).close()
    with pytest.raises(ssl.SSLCertVerificationError), socket.create_connection(("127.0.0.1", server.port), timeout=20) as plain:
        context.wrap_socket(plain, server_hostname="example.com")


def test_plain_http_on_the_tls_port(server):
    with server.connect(context=False) as wire:
        wire.send(post(POD))
        assert b"HTTP" not in wire.drain()
    assert server.post(PATH, POD)[0] == 200


def test_tls_on_the_plain_port(server):
    with pytest.raises((ssl.SSLError, ConnectionError)):
        Wire(server.health_port, server.context())
    assert server.health("/healthz") == (200, "ok")


@pytest.mark.parametrize("path, method, status, allow", [
    ("/healthz", "GET", 200, None), ("/healthz", "HEAD", 200, None), ("/readyz", "GET", 200, None), ("/metrics", "HEAD", 200, None),
    ("/healthz", "POST", 405, "GET, HEAD"), ("/metrics", "DELETE", 405, "GET, HEAD"), ("/", "GET", 404, None),
    (PATH, "POST", 404, None), ("/healthz/", "GET", 404, None),
])
def test_plain_port(server, path, method, status, allow):
    with Wire(server.health_port, False) as wire:
        answer = wire.ask(method, path)
        assert (answer.status, answer.headers.get("allow")) == (status, allow)
        assert wire.ask("GET", "/healthz").status == 200


# clients that are slow, silent or gone

HURRY = {"timeouts": {"headersSeconds": 1, "requestSeconds": 1, "idleSeconds": 1}, "log": {"level": "debug"}}
LONGEST_WAIT = 15  # seconds; one would do


@pytest.fixture(scope="module")
def hurried(start_for_module):
    return start_for_module("--policies", DATA / "manifests.yaml", config=HURRY)


STOPS = {
    "silent": b"",
    "in the request line": b"POST /mutate",
    "in the headers": f"POST {PATH} HTTP/1.1\r\nHost: x\r\n".encode(),
    "in the body": post(POD)[:-10],
    "in a chunk": post(b"5\r\nhe", headers=(JSON, CHUNKED), length=""),
    "in a body that nobody wants": post(b"x", "/nothing", length=100),
}


def test_clients_that_stop_are_ended(hurried):
    def ended():
        return hurried.metric("sgp_webhook_requests_rejected_total", reason="timeout")

    before = ended()
    wires = {name: hurried.connect(seconds=LONGEST_WAIT) for name in STOPS}
    for name, raw in STOPS.items():
        wires[name].send(raw)
    with hurried.connect(context=False, seconds=LONGEST_WAIT) as without_handshake, \
            hurried.connect(seconds=LONGEST_WAIT) as refused_already:
        refused_already.send(post(b" " * 1000, length=2_000_000_000))
        assert refused_already.answer().status == 413
        assert hurried.post(PATH, POD)[0] == 200
        assert {name: wire.drain() for name, wire in wires.items()} == {name: b"" for name in STOPS}
        assert without_handshake.drain() == b""
        refused_already.drain()
    for wire in wires.values():
        wire.close()
    hurried.wait_for(lambda: ended() == before + len(STOPS) + 1)
    assert sum(event["connections"] for event in hurried.events("clients-slow")) >= len(STOPS) + 1
    assert hurried.post(PATH, POD)[0] == 200


@pytest.mark.parametrize("start, drop", [
    pytest.param(f"POST {PATH} HTTP/1.1\r\nHost: x\r\n".encode(), b"X-Drop: 1\r\n", id="headers"),
    pytest.param(post(b"", length=8_000_000), b" ", id="body"),
    pytest.param(post(b"", headers=(JSON, CHUNKED), length=""), b"1\r\n \r\n", id="chunks"),
])
def test_client_that_trickles_is_ended(hurried, start, drop):
    deadline = time.monotonic() + LONGEST_WAIT
    with hurried.connect(seconds=LONGEST_WAIT) as wire:
        wire.send(start)
        with pytest.raises((ConnectionError, ssl.SSLError)):
            while time.monotonic() < deadline:
                wire.send(drop)
                time.sleep(0.05)  # the pace of a slow client
    assert hurried.post(PATH, POD)[0] == 200


def test_idle_connection_is_ended_without_blame(hurried):
    before = hurried.metric("sgp_webhook_requests_rejected_total", reason="timeout")
    with hurried.connect(seconds=LONGEST_WAIT) as wire:
        assert_good(wire.ask("POST", PATH, POD))
        assert wire.drain() == b""
    assert hurried.metric("sgp_webhook_requests_rejected_total", reason="timeout") == before


@pytest.mark.parametrize("raw", [
    pytest.param(post(POD)[:50], id="in the headers"),
    pytest.param(post(POD)[:-1], id="in the body"),
    pytest.param(chunked(b"%x\r\n%s" % (len(POD), POD)), id="in a chunk"),
    pytest.param(post(POD), id="before the answer"),
])
def test_client_that_leaves_harms_nothing(server, raw):
    for _ in range(20):
        with server.connect() as wire:
            wire.send(raw)
            wire.reset()
    assert server.post(PATH, POD)[0] == 200
    server.wait_for(lambda: server.metric("sgp_webhook_open_connections") == 0)


@pytest.mark.threads
def test_more_connections_than_the_limit(start):
    limited = start("--policies", DATA / "manifests.yaml", config={"limits": {"connections": 8}, "threads": 2})
    held = [limited.connect() for _ in range(8)]
    for wire in held:
        assert_good(wire.ask("POST", PATH, POD))
    waiting = [socket.create_connection(("127.0.0.1", limited.port), timeout=20) for _ in range(20)]
    for wire in held:
        assert_good(wire.ask("POST", PATH, POD))
    assert limited.metric("sgp_webhook_open_connections") <= 8
    assert limited.health("/healthz") == (200, "ok")
    for wire in held:
        wire.close()
    context = limited.context()
    for plain in waiting[:8]:
        with context.wrap_socket(plain, server_hostname="localhost") as late:
            late.sendall(post(POD))
            assert late.recv(16).startswith(b"HTTP/1.1 200")
    for plain in waiting[8:]:
        plain.close()
    limited.wait_for(lambda: limited.metric("sgp_webhook_open_connections") == 0)
    assert limited.post(PATH, POD)[0] == 200
