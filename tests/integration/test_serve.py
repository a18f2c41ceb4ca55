"""What serve reads again while it runs: certificates, policies, configuration; and whom it answers."""
import json
import os
import re
import shutil
import signal
import ssl
import subprocess

import pytest

from conftest import DATA, MUTATE, Load, groups_of, is_answered, pod, policy, replace

POLICY = "/validate-v1beta1-securitygrouppolicy"
FIRST, SECOND = "sg-0123456789abcdef1", "sg-0123456789abcdef2"
REFUSAL = "show a certificate that the configured client CA has signed\n"


def policy_review(groups):
    return {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": {
        "uid": "u-2", "kind": {"group": "vpcresources.k8s.aws", "version": "v1beta1", "kind": "SecurityGroupPolicy"},
        "name": "p", "namespace": "shop", "operation": "CREATE", "userInfo": {"username": "admin"}, "object": {
            "apiVersion": "vpcresources.k8s.aws/v1beta1", "kind": "SecurityGroupPolicy", "metadata": {"name": "p"},
            "spec": {"podSelector": {"matchLabels": {"app": "x"}},
                     "securityGroups": {"groupIds": [f"sg-0123456789abcde{i:02x}" for i in range(groups)]}}}}}


def mount(directory, files):
    """As a kubelet mounts a Secret or ConfigMap: all names lead through one symbolic link, which is exchanged."""
    directory.mkdir(exist_ok=True)
    data = directory / "..data"
    old = data.resolve() if data.exists() else None
    version = directory / f"..2024_{len(list(directory.iterdir()))}_{os.urandom(4).hex()}"
    version.mkdir()
    for name, content in files.items():
        (version / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        if not (directory / name).is_symlink():
            (directory / name).symlink_to(f"..data/{name}")
    (directory / "..data_tmp").symlink_to(version.name)
    (directory / "..data_tmp").rename(data)
    if old:
        shutil.rmtree(old)


def read_pair(directory):
    return {name: (directory / name).read_bytes() for name in ("tls.crt", "tls.key")}


def install(source, target):
    for name, content in read_pair(source).items():
        (target / (name + ".new")).write_bytes(content)
    for name in ("tls.key", "tls.crt"):
        (target / (name + ".new")).replace(target / name)


# the certificate

def with_pair(start, directory, *args, **kwargs):
    server = start("--tls-cert", directory / "tls.crt", "--tls-key", directory / "tls.key", *args, **kwargs)
    server.certs = directory
    return server


def subject_key(wire):
    return wire.socket.getpeercert(binary_form=True)


def assert_served_with(server, directory):
    server.certs = directory
    with server.connect() as wire:
        assert wire.ask("POST", MUTATE, json.dumps(pod()).encode()).status == 200


def test_certificate_is_replaced(start, pair):
    server = with_pair(start, pair("in-use"))
    with server.connect() as kept:
        first = subject_key(kept)
        install(pair("next"), server.directory.parent / "in-use")
        server.wait_for(lambda: len(server.events("certificate-loaded")) == 2)
        assert kept.ask("POST", MUTATE, json.dumps(pod()).encode()).status == 200
        assert subject_key(kept) == first
    assert_served_with(server, server.directory.parent / "next")


def test_certificate_of_a_mounted_secret_is_replaced(start, pair, tmp_path):
    secret, first, second = tmp_path / "secret", pair("first"), pair("second")
    mount(secret, read_pair(first))
    server = with_pair(start, secret)
    server.certs = first
    with server.connect() as kept:
        for source in (second, first, second):
            loaded = len(server.events("certificate-loaded"))
            mount(secret, read_pair(source))
            server.wait_for(lambda: len(server.events("certificate-loaded")) == loaded + 1)
            assert kept.ask("POST", MUTATE, json.dumps(pod()).encode()).status == 200
            assert_served_with(server, source)
    assert server.metric("sgp_webhook_certificate_reload_errors_total") == 0


@pytest.mark.parametrize("broken, error", [
    pytest.param({"tls.crt": b"nonsense"}, "tls.crt: is not a certificate chain in PEM form", id="no certificate"),
    pytest.param({"tls.key": b"nonsense"}, "tls.key: is not a private key in PEM form", id="no key"),
    pytest.param({"tls.key": b""}, "tls.key: ", id="empty key"),
    pytest.param({"tls.key": "other"}, "tls.key: is not the key of the first certificate in ", id="key of another certificate"),
    pytest.param({"tls.crt": None}, "tls.crt: ", id="certificate removed"),
])
def test_broken_certificate_is_refused(start, pair, broken, error):
    directory, good, other = pair("in-use"), pair("good"), pair("other")
    install(good, directory)
    server = with_pair(start, directory)
    for name, content in broken.items():
        if content is None:
            (directory / name).unlink()
        else:
            (directory / name).write_bytes(read_pair(other)[name] if content == "other" else content)
    refused = server.wait_for(lambda: server.events("certificate-refused"))
    assert error in refused[0]["error"] and refused[0]["level"] == "error"
    assert "BEGIN" not in refused[0]["error"]
    server.wait_for(lambda: server.metric("sgp_webhook_certificate_reload_errors_total") >= 1)
    assert_served_with(server, good)
    assert server.health("/readyz") == (200, "ok")
    install(other, directory)
    server.wait_for(lambda: len(server.events("certificate-loaded")) == 2)
    assert_served_with(server, other)


def test_self_signed_certificate_is_made_and_kept(start, tmp_path):
    directory = tmp_path / "made"
    server = start("--self-signed", directory)
    assert {path.name: path.stat().st_mode & 0o777 for path in directory.iterdir()}["tls.key"] == 0o600
    made = read_pair(directory)
    assert_served_with(server, directory)
    again = start("--self-signed", directory)
    assert_served_with(again, directory)
    assert read_pair(directory) == made


# client certificates

@pytest.fixture(scope="module")
def clients(tmp_path_factory):
    """Two CAs with a client certificate each, and a certificate of the first that is for servers only."""
    directory = tmp_path_factory.mktemp("clients")

    def openssl(*args):
        subprocess.run(["openssl", *map(str, args)], cwd=directory, check=True, capture_output=True, timeout=30)

    def issue(name, ca, purpose):
        (directory / f"{name}.ext").write_text(f"extendedKeyUsage={purpose}\nbasicConstraints=CA:FALSE\n")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                "-keyout", f"{name}.key", "-out", f"{name}.csr")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{ca}.crt", "-CAkey", f"{ca}.key", "-CAcreateserial",
                "-days", "2", "-extfile", f"{name}.ext", "-out", f"{name}.crt")

    for ca in ("ca", "other-ca"):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                "-subj", f"/CN={ca}", "-keyout", f"{ca}.key", "-out", f"{ca}.crt")
    issue("client", "ca", "clientAuth")
    issue("stranger", "other-ca", "clientAuth")
    issue("server", "ca", "serverAuth")
    return directory


def curl_as(server, clients, name, path=MUTATE):
    identity = ["--cert", clients / f"{name}.crt", "--key", clients / f"{name}.key"] if name else []
    return server.curl(path, *identity, "-H", "Content-Type: application/json", "--data-binary", "@-",
                       stdin=json.dumps(pod()).encode())


def test_client_certificates(start, clients):
    server = start(config={"tls": {"clientCAFile": str(clients / "ca.crt")}})
    assert curl_as(server, clients, "client")[0] == 200
    assert server.events("client-refused") == []
    for count, name in enumerate((None, "stranger", "server"), start=1):
        status, body = curl_as(server, clients, name)
        assert (status, body.decode()) == (403, REFUSAL)
        assert server.metric("sgp_webhook_requests_rejected_total", reason="client_certificate") == count
    assert curl_as(server, clients, None, "/nothing")[0] == 403
    refused = server.events("client-refused")
    assert len(refused) == 4
    assert (refused[0]["level"], refused[0]["cause"], refused[0]["peer"]) == ("warn", "client_certificate", "127.0.0.1")
    assert server.health("/healthz") == (200, "ok")
    assert curl_as(server, clients, "client")[0] == 200


def test_refused_client_cannot_go_on(start, clients):
    server = start(config={"tls": {"clientCAFile": str(clients / "ca.crt")}})
    with server.connect() as wire:
        answer = wire.ask("POST", MUTATE, json.dumps(pod()).encode())
        assert (answer.status, answer.headers["connection"]) == (403, "close")
        assert wire.drain() == b""


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=lambda version: version.name)
def test_client_certificate_by_tls_version(start, clients, version):
    server = start(config={"tls": {"clientCAFile": str(clients / "ca.crt")}})
    context = server.context(minimum_version=version, maximum_version=version)
    context.load_cert_chain(clients / "client.crt", clients / "client.key")
    with server.connect(context) as wire:
        for _ in range(3):
            assert wire.ask("POST", MUTATE, json.dumps(pod()).encode()).status == 200


def test_client_authority_is_replaced(start, clients, tmp_path):
    authority = tmp_path / "client-ca.crt"
    shutil.copy(clients / "ca.crt", authority)
    server = start(config={"tls": {"clientCAFile": str(authority)}})
    assert curl_as(server, clients, "client")[0] == 200
    replace(authority, (clients / "other-ca.crt").read_text())
    server.wait_for(lambda: curl_as(server, clients, "stranger")[0] == 200)
    assert curl_as(server, clients, "client")[0] == 403


# policies

def test_changed_file_is_read_again(start, tmp_path):
    path = tmp_path / "policies.yaml"
    path.write_text(policy("p", FIRST))
    server = start("--policies", path)
    assert groups_of(server) == FIRST
    path.write_text(policy("p", SECOND))  # in place
    server.wait_for(lambda: groups_of(server) == SECOND)
    replace(path, policy("p", FIRST))
    server.wait_for(lambda: groups_of(server) == FIRST)
    assert server.metric("sgp_webhook_source_reload_errors_total", source="files") == 0


def test_directory_is_watched(start, tmp_path):
    directory = tmp_path / "policies"
    directory.mkdir()
    server = start("--policies", directory)
    assert server.health("/readyz") == (200, "ok")
    assert groups_of(server) is None
    (directory / "a.yaml").write_text(policy("a", FIRST))
    server.wait_for(lambda: groups_of(server) == FIRST)
    (directory / "b.json").write_text(policy("b", SECOND))
    server.wait_for(lambda: groups_of(server) == f"{FIRST},{SECOND}")
    (directory / "c.txt").write_text("no manifest")
    (directory / "below").mkdir()
    (directory / "below" / "d.yml").write_text(policy("d", "sg-01234567"))
    server.wait_for(lambda: groups_of(server) == f"{FIRST},{SECOND},sg-01234567")
    (directory / "below" / "d.yml").write_text(policy("d", "sg-89abcdef"))
    server.wait_for(lambda: groups_of(server) == f"{FIRST},{SECOND},sg-89abcdef")
    (directory / "a.yaml").unlink()
    server.wait_for(lambda: groups_of(server) == f"{SECOND},sg-89abcdef")
    (directory / "b.json").rename(tmp_path / "elsewhere.json")
    server.wait_for(lambda: groups_of(server) == "sg-89abcdef")


@pytest.mark.parametrize("whole", [True, False], ids=["directory", "file"])
def test_mounted_configmap_is_watched(start, tmp_path, whole):
    directory = tmp_path / "mounted"
    mount(directory, {"policies.yaml": policy("p", FIRST)})
    server = start("--policies", directory if whole else directory / "policies.yaml")
    assert groups_of(server) == FIRST
    for group in (SECOND, FIRST, SECOND):
        mount(directory, {"policies.yaml": policy("p", group)})
        server.wait_for(lambda: groups_of(server) == group)
    assert server.metric("sgp_webhook_source_reload_errors_total", source="files") == 0


@pytest.mark.parametrize("broken, error", [
    pytest.param("kind: SecurityGroupPolicy\nmetadata: {name: p\n", ":3:1: did not find expected ',' or '}'", id="YAML"),
    pytest.param('{"kind": "List", "items": [}', ":1:28: ", id="JSON"),
    pytest.param("a: b\n", ":1:1: kind: missing, every Kubernetes object has one", id="no object"),
    pytest.param("kind: Pod\x00\n", ":1:10: character U+0000: control characters are not allowed", id="NUL"),
    pytest.param(policy("p", FIRST).replace('"name": "p"', '"name": 5'),
                 ":1:100: metadata.name: a number where a string belongs", id="wrong type"),
    pytest.param(policy("p", FIRST) + "\n---\n" + policy("p", SECOND),
                 ":3:1: SecurityGroupPolicy shop/p occurs twice, first in ", id="object twice"),
])
def test_broken_file_keeps_the_last_good_state(start, tmp_path, broken, error):
    path = tmp_path / "policies.yaml"
    path.write_text(policy("p", FIRST))
    server = start("--policies", path)
    replace(path, broken)
    failed = server.wait_for(lambda: server.events("source-failed"))[0]
    assert (failed["level"], failed["source"]) == ("error", "files")
    assert failed["error"].startswith(f"{path}{error}"), failed["error"]
    assert groups_of(server) == FIRST
    assert server.health("/readyz") == (200, "ok")
    assert server.metric("sgp_webhook_source_last_reload_success", source="files") == 0
    assert server.metric("sgp_webhook_source_reload_errors_total", source="files") == 1
    replace(path, policy("p", SECOND))
    server.wait_for(lambda: groups_of(server) == SECOND)
    assert server.metric("sgp_webhook_source_last_reload_success", source="files") == 1


def test_removed_policies_keep_the_last_good_state(start, tmp_path):
    path = tmp_path / "policies.yaml"
    path.write_text(policy("p", FIRST))
    server = start("--policies", path)
    path.unlink()
    failed = server.wait_for(lambda: server.events("source-failed"))[0]
    assert str(path) in failed["error"] and "No such file" in failed["error"]
    assert groups_of(server) == FIRST
    path.write_text(policy("p", SECOND))
    server.wait_for(lambda: groups_of(server) == SECOND)


# the configuration file

def hang_up(server, event):
    before = len(server.events(event))
    server.process.send_signal(signal.SIGHUP)
    return server.wait_for(lambda: server.events(event)[before:])[0]


def test_changed_configuration(start):
    server = start(config={"limits": {"groupsPerPolicy": 5}})
    assert server.review(POLICY, policy_review(6))["allowed"] is False
    server.configure({"limits": {"groupsPerPolicy": 6}})
    assert "takesEffectAtNextStart" not in hang_up(server, "configuration-loaded")
    server.wait_for(lambda: server.review(POLICY, policy_review(6))["allowed"])
    server.configure({"checks": {"policy-group-count": "warn"}})
    hang_up(server, "configuration-loaded")
    server.wait_for(lambda: any("[policy-group-count]" in line
                                for line in server.review(POLICY, policy_review(6)).get("warnings", [])))


def test_configuration_names_other_policies(start, tmp_path):
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text(policy("p", FIRST))
    second.write_text(policy("p", SECOND))
    server = start(config={"policies": {"paths": [str(first)]}})
    assert groups_of(server) == FIRST
    server.configure({"policies": {"paths": [str(second)]}})
    hang_up(server, "configuration-loaded")
    server.wait_for(lambda: groups_of(server) == SECOND)
    replace(second, policy("p", "sg-89abcdef"))
    server.wait_for(lambda: groups_of(server) == "sg-89abcdef")


@pytest.mark.parametrize("broken, error", [
    pytest.param("limits:\n  groupsPerPolcy: 6\n", r":2:3: .*groupsPerPolicy", id="unknown key"),
    pytest.param("limits:\n  groupsPerPolicy: many\n", r":2:20: ", id="wrong type"),
    pytest.param("limits:\n  groupsPerPolicy: 17\n", r":2:20: .*1.*16", id="out of range"),
    pytest.param("limits: [\n", r":\d+:\d+: ", id="no YAML"),
])
def test_broken_configuration_changes_nothing(start, broken, error):
    server = start(config={"limits": {"groupsPerPolicy": 6}})
    server.configure(broken)
    refused = hang_up(server, "configuration-refused")
    assert re.match(re.escape(str(server.config_path)) + error, refused["error"]), refused["error"]
    assert server.review(POLICY, policy_review(6))["allowed"] is True
    assert server.health("/readyz") == (200, "ok")
    assert server.metric("sgp_webhook_config_reload_errors_total") == 1
    assert server.metric("sgp_webhook_config_last_reload_success") == 0
    server.configure({"limits": {"groupsPerPolicy": 5}})
    hang_up(server, "configuration-loaded")
    server.wait_for(lambda: server.metric("sgp_webhook_config_last_reload_success") == 1)
    assert server.review(POLICY, policy_review(6))["allowed"] is False


def test_configuration_that_needs_a_restart(start):
    server = start(config={"limits": {"groupsPerPolicy": 5, "bodyBytes": 20_000}})
    server.configure({"limits": {"groupsPerPolicy": 6, "bodyBytes": 10_000}, "threads": 3})
    named = set(re.split(r",\s*", hang_up(server, "configuration-loaded")["takesEffectAtNextStart"]))
    assert named == {"limits.bodyBytes", "threads"}
    server.wait_for(lambda: server.review(POLICY, policy_review(6))["allowed"])
    assert server.post(MUTATE, json.dumps(pod()).ljust(15_000))[0] == 200


def test_flags_override_the_file(start, tmp_path):
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text(policy("p", FIRST))
    second.write_text(policy("p", SECOND))
    server = start("--policies", second, config={"policies": {"paths": [str(first)]}, "listen": "127.0.0.1:1"})
    assert groups_of(server) == SECOND
    hang_up(server, "configuration-loaded")
    assert groups_of(server) == SECOND


def test_without_a_file_there_is_nothing_to_read_again(start):
    server = start("--policies", DATA / "manifests.yaml")
    hang_up(server, "configuration-loaded")
    assert server.health("/readyz") == (200, "ok")


# all at once

@pytest.mark.threads
def test_reviews_while_everything_is_read_again(start, pair, tmp_path):
    """Every answer is of one state or the other, never of a mixture, and no connection is lost."""
    directory = pair("in-use")
    states = [{name: policy(name, group) for name in "abc"} for group in (FIRST, SECOND)]
    path = tmp_path / "policies.yaml"

    def write(state):
        replace(path, "\n---\n".join(states[state].values()))

    write(0)
    settings = [{"limits": {"groupsPerPolicy": count}} for count in (5, 6)]
    server = with_pair(start, directory, "--policies", path, config={**settings[0], "threads": 4})
    requests = [(MUTATE, json.dumps(pod()).encode()), (POLICY, json.dumps(policy_review(6)).encode())]

    def check(path, answer):
        response = answer.json()["response"]
        if path == MUTATE:
            fine = response["allowed"] and response["auditAnnotations"] in (
                {"security-groups": FIRST, "policies": "a,b,c"}, {"security-groups": SECOND, "policies": "a,b,c"})
        else:
            causes = response.get("status", {}).get("details", {}).get("causes", [])
            fine = [cause["reason"] for cause in causes] == ([] if response["allowed"] else ["policy-group-count"])
        return None if fine else str(response)

    with Load(server, 4, requests, check) as load:
        for turn in range(1, 13):
            loaded = len(server.events("source-loaded"))
            write(turn % 2)
            server.configure({**settings[turn % 2], "threads": 4})
            server.process.send_signal(signal.SIGHUP)
            for name in ("tls.crt", "tls.key"):
                os.utime(directory / name)
            server.health("/metrics")
            server.wait_for(lambda: len(server.events("source-loaded")) > loaded)
        server.wait_for(lambda: load.asked > 200)
    assert load.problems == []
    assert server.events("source-failed") == server.events("configuration-refused") == []
    server.wait_for(lambda: groups_of(server) == FIRST)


@pytest.mark.threads
def test_certificate_is_replaced_under_load(start, pair, tmp_path):
    secret, pairs = tmp_path / "secret", [pair("first"), pair("second")]
    mount(secret, read_pair(pairs[0]))
    server = with_pair(start, secret)
    server.certs = pairs[0]
    with Load(server, 3, [(MUTATE, json.dumps(pod()).encode())], is_answered) as load:
        load.context.load_verify_locations(pairs[1] / "ca.crt")
        for turn in range(1, 7):
            mount(secret, read_pair(pairs[turn % 2]))
            server.wait_for(lambda: len(server.events("certificate-loaded")) == turn + 1)
    assert load.problems == [] and load.asked > 0
    assert server.events("certificate-refused") == []
