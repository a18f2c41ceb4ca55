"""The review command: what it prints is what the server answers; exit codes and errors. Recorded reviews: test_reviews.py."""
import json
import subprocess

import pytest

from conftest import BINARY, DATA, MUTATE, pod, policy

REVIEWS = sorted((DATA / "reviews").glob("*.json"))
POLICIES = DATA / "manifests.yaml"
STRICT = {"profile": "strict", "workloads": "deny", "limits": {"groupsPerPolicy": 1, "groupsPerInterface": 1},
          "checks": {"policy-selects-all": "deny", "pod-fargate": "deny", "pod-grace-period": "ignore"}}
POD = json.loads((DATA / "reviews" / "022-mutate-v1-pod-create-pod-two-containers.json").read_text())


def endpoint_of(path):
    name = path.name.split("-", 1)[1]
    if name.startswith("validate-securitygrouppolicy-"):
        return "/validate-v1beta1-securitygrouppolicy"
    return "/" + "-".join(name.split("-")[:2 if name.startswith("validate-workload-") else 3])


def run(*args, stdin=None):
    """Standard output as bytes: it is compared byte for byte."""
    return subprocess.run([BINARY, "review", *map(str, args)], input=stdin, capture_output=True, timeout=30)


@pytest.fixture(scope="module")
def strict(start_for_module):
    return start_for_module("--policies", POLICIES, config=STRICT)


@pytest.mark.parametrize("path", REVIEWS, ids=lambda path: path.name[:3])
def test_recorded_review_under_a_configuration(strict, path):
    done = run("--config", strict.config_path, "--policies", POLICIES, "--endpoint", endpoint_of(path), path)
    status, body = strict.post(endpoint_of(path), path.read_bytes())
    assert status == 200 and done.stderr == b""
    assert done.stdout == body
    assert done.returncode == (0 if json.loads(body)["response"]["allowed"] else 1)


def test_configuration_makes_a_difference(strict, server):
    differ = [path for path in REVIEWS
              if strict.post(endpoint_of(path), path.read_bytes()) != server.post(endpoint_of(path), path.read_bytes())]
    assert len(differ) >= 5


def changed(change):
    review = json.loads(json.dumps(POD))
    change(review)
    return review


@pytest.mark.parametrize("body", [
    pytest.param(json.dumps(POD, indent=4), id="indented"),
    pytest.param(json.dumps(POD, sort_keys=True), id="sorted"),
    pytest.param(json.dumps(POD, ensure_ascii=False), id="UTF-8"),
    pytest.param(json.dumps(changed(lambda r: r.update(apiVersion="admission.k8s.io/v1beta1"))), id="v1beta1"),
    pytest.param(json.dumps(changed(lambda r: r["request"].update(uid='"\\\x01é😀'))), id="uid"),
    pytest.param(json.dumps(changed(lambda r: r["request"].update(object=5))), id="undecodable object"),
    pytest.param(json.dumps(changed(lambda r: r["request"].update(operation="DELETE", object=None))), id="delete"),
    pytest.param(json.dumps(changed(lambda r: r["request"].update(dryRun=True))), id="dry run"),
    pytest.param(json.dumps(changed(lambda r: r["request"].update(namespace="nowhere"))), id="unknown namespace"),
])
@pytest.mark.parametrize("endpoint", ["/mutate-v1-pod", "/validate-v1-pod"])
def test_answer_is_the_servers(server, endpoint, body):
    done = run("--policies", POLICIES, "--endpoint", endpoint, "-", stdin=body.encode())
    assert (200, done.stdout) == server.post(endpoint, body)
    assert done.returncode == (0 if json.loads(done.stdout)["response"]["allowed"] else 1) and done.stderr == b""


@pytest.mark.parametrize("body, error", [
    (b"null", "null where an object belongs"),
    (b"{}", "apiVersion: '' is neither admission.k8s.io/v1 nor admission.k8s.io/v1beta1"),
    (b"[" * 3000, "nested too deep at byte 2048"),
    (b'{"kind":"\xff"}', "invalid UTF-8 at byte 9"),
])
def test_unreadable_review_is_the_servers_error(server, tmp_path, body, error):
    path = tmp_path / "review.json"
    path.write_bytes(body)
    for name, stdin in ((path, None), ("-", body)):
        done = run("--endpoint", MUTATE, name, stdin=stdin)
        assert (done.returncode, done.stdout, done.stderr.decode()) == (2, b"", f"sgp-webhook: {name}: {error}\n")
    assert server.post(MUTATE, body) == (400, f"{error}\n".encode())


def test_policies_come_from_several_places(tmp_path):
    (tmp_path / "more").mkdir()
    (tmp_path / "a.yaml").write_text(policy("a", "sg-01234567"))
    (tmp_path / "more" / "b.json").write_text(policy("b", "sg-89abcdef"))
    done = run("--policies", tmp_path / "a.yaml", "--policies", tmp_path / "more", "--endpoint", MUTATE, "-",
               stdin=json.dumps(pod()).encode())
    assert json.loads(done.stdout)["response"]["auditAnnotations"]["security-groups"] == "sg-01234567,sg-89abcdef"


def test_policies_of_the_configuration(tmp_path):
    (tmp_path / "a.yaml").write_text(policy("a", "sg-01234567"))
    (tmp_path / "b.yaml").write_text(policy("b", "sg-89abcdef"))
    config = tmp_path / "config.yaml"
    config.write_text(json.dumps({"policies": {"paths": [str(tmp_path / "a.yaml")]}}))
    for more, groups in (((), "sg-01234567"), (("--policies", tmp_path / "b.yaml"), "sg-89abcdef")):
        done = run("--config", config, *more, "--endpoint", MUTATE, "-", stdin=json.dumps(pod()).encode())
        assert json.loads(done.stdout)["response"]["auditAnnotations"]["security-groups"] == groups


def test_body_over_the_limit(tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text(json.dumps({"limits": {"bodyBytes": 1024}}))
    for size, code in ((1024, 0), (1025, 2)):
        done = run("--config", config, "--endpoint", MUTATE, "-", stdin=json.dumps(pod()).ljust(size).encode())
        assert done.returncode == code
    assert done.stderr.decode() == "sgp-webhook: -: larger than limits.bodyBytes, 1024 bytes\n"


USAGE = "sgp-webhook: review: give --endpoint PATH and one file; see sgp-webhook review --help\n"


@pytest.mark.parametrize("args, error", [
    ([], USAGE),
    (["-"], USAGE),
    (["--endpoint", MUTATE], USAGE),
    (["--endpoint", MUTATE, "-", "-"], USAGE),
    (["--endpoint", "/nothing", "-"], "sgp-webhook: --endpoint: '/nothing' is none of those that --help lists\n"),
    (["--endpoint", "/mutate-v1-pod?timeout=10s", "-"],
     "sgp-webhook: --endpoint: '/mutate-v1-pod?timeout=10s' is none of those that --help lists\n"),
    (["--endpoint"], "sgp-webhook: --endpoint: its argument is missing; see sgp-webhook review --help\n"),
    (["--nonsense"], "sgp-webhook: --nonsense: no such option; see sgp-webhook review --help\n"),
    (["--endpoint", MUTATE, "/nowhere/review.json"], "sgp-webhook: /nowhere/review.json: No such file or directory\n"),
    (["--endpoint", MUTATE, "/"], "sgp-webhook: /: Is a directory\n"),
    (["--endpoint", MUTATE, "--policies", "/nowhere", "-"], "sgp-webhook: /nowhere: cannot be read: No such file or directory\n"),
    (["--endpoint", MUTATE, "--config", "/nowhere", "-"], "sgp-webhook: /nowhere: cannot be opened: No such file or directory\n"),
])
def test_unusable_options(args, error):
    done = run(*args, stdin=json.dumps(pod()).encode())
    assert (done.returncode, done.stdout, done.stderr.decode()) == (2, b"", error)


def test_help(sgp):
    done = sgp("review", "--help")
    assert done.returncode == 0 and done.stdout.startswith("Usage: sgp-webhook review [OPTION]... FILE|-\n")
    for word in ("--endpoint", "--policies", "--config", "Exit codes: 0 allowed, 1 refused, 2 unusable"):
        assert word in done.stdout
