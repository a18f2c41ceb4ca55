"""serve as an operator meets it: start, what is read again while it runs, and the end."""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import threading

import pytest

from conftest import BINARY, DATA, request_bytes

MUTATE = "/mutate-v1-pod"
POLICY = "/validate-v1beta1-securitygrouppolicy"
FIRST, SECOND = "sg-0123456789abcdef1", "sg-0123456789abcdef2"
REFUSAL = "show a certificate that the configured client CA has signed\n"


def pod(app="web", namespace="shop"):
    return {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": {
        "uid": "u-1", "kind": {"group": "", "version": "v1", "kind": "Pod"}, "namespace": namespace, "operation": "CREATE",
        "userInfo": {"username": "admin"}, "object": {
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": namespace, "labels": {"app": app}},
            "spec": {"containers": [{"name": "c", "image": "i"}]}}}}


def policy_review(groups):
    return {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": {
        "uid": "u-2", "kind": {"group": "vpcresources.k8s.aws", "version": "v1beta1", "kind": "SecurityGroupPolicy"},
        "name": "p", "namespace": "shop", "operation": "CREATE", "userInfo": {"username": "admin"}, "object": {
            "apiVersion": "vpcresources.k8s.aws/v1beta1", "kind": "SecurityGroupPolicy", "metadata": {"name": "p"},
            "spec": {"podSelector": {"matchLabels": {"app": "x"}},
                     "securityGroups": {"groupIds": [f"sg-0123456789abcde{i:02x}" for i in range(groups)]}}}}}


def policy(name, group, app="web"):
    return json.dumps({"apiVersion": "vpcresources.k8s.aws/v1beta1", "kind": "SecurityGroupPolicy",
                       "metadata": {"name": name, "namespace": "shop"},
                       "spec": {"podSelector": {"matchLabels": {"app": app}}, "securityGroups": {"groupIds": [group]}}})


def groups_of(server, **of):
    return server.review(MUTATE, pod(**of)).get("auditAnnotations", {}).get("security-groups")


def replace(path, text):
    """As editors and controllers do: the name moves to a new file."""
    draft = path.parent / (path.name + ".new")
    draft.write_text(text)
    draft.replace(path)


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


@pytest.fixture
def pair(sgp, tmp_path):
    """Makes directories, each with a CA and a certificate of it for this machine."""

    def make(name):
        assert sgp("certs", tmp_path / name, "--dns", "localhost", "--ip", "127.0.0.1").returncode == 0
        return tmp_path / name

    return make


def read_pair(directory):
    return {name: (directory / name).read_bytes() for name in ("tls.crt", "tls.key")}


def install(source, target):
    for name, content in read_pair(source).items():
        (target / (name + ".new")).write_bytes(content)
    for name in ("tls.key", "tls.crt"):
        (target / (name + ".new")).replace(target / name)


def run_to_the_end(*args):
    """A server that is expected not to start."""
    return subprocess.run([BINARY, "serve", "--listen", "127.0.0.1:0", "--health-listen", "127.0.0.1:0", *map(str, args)],
                          capture_output=True, text=True, timeout=30)


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
    pytest.param("kind: SecurityGroupPolicy\nmetadata: {name: p\n", r":\d+:\d+: ", id="YAML"),
    pytest.param('{"kind": \n  nonsense"}\n', r":\d+:\d+: ", id="JSON"),
    pytest.param(policy("p", FIRST).replace('"name": "p"', '"name": 5'), r":1:\d+: .*metadata.name", id="wrong type"),
    pytest.param(policy("p", FIRST) + "\n---\n" + policy("p", SECOND), r":\d+.*(twice|p)", id="object twice"),
])
def test_broken_file_keeps_the_last_good_state(start, tmp_path, broken, error):
    path = tmp_path / "policies.yaml"
    path.write_text(policy("p", FIRST))
    server = start("--policies", path)
    replace(path, broken)
    failed = server.wait_for(lambda: server.events("source-failed"))[0]
    assert (failed["level"], failed["source"]) == ("error", "files")
    assert re.match(re.escape(str(path)) + error, failed["error"]), failed["error"]
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


@pytest.mark.parametrize("content, error", [(None, "No such file"), ("kind: [", ":1:"), ("- a\n", ":1:")],
                         ids=["missing", "broken", "no object"])
def test_unreadable_policies_at_start(start, tmp_path, content, error):
    path = tmp_path / "policies.yaml"
    if content:
        path.write_text(content)
    server = start("--policies", path)
    assert error in server.events("source-failed")[0]["error"]
    status, text = server.health("/readyz")
    assert status == 503
    assert "[-]source files: not read yet, see the log\n" in text and text.endswith("readyz check failed\n")
    assert server.health("/healthz") == (200, "ok")
    assert server.review(MUTATE, pod()) == {"uid": "u-1", "allowed": True}
    replace(path, policy("p", FIRST))
    server.wait_for(lambda: server.health("/readyz") == (200, "ok"))
    assert groups_of(server) == FIRST
    assert len(server.events("ready")) == 1


def test_missing_directory_is_waited_for(start, tmp_path):
    server = start("--policies", tmp_path / "later" / "policies")
    assert server.health("/readyz")[0] == 503
    (tmp_path / "later" / "policies").mkdir(parents=True)
    (tmp_path / "later" / "policies" / "p.yaml").write_text(policy("p", FIRST))
    server.wait_for(lambda: server.health("/readyz") == (200, "ok"))
    server.wait_for(lambda: groups_of(server) == FIRST)


def test_readyz_in_detail(start):
    server = start("--policies", DATA / "manifests.yaml")
    assert server.health("/readyz") == (200, "ok")
    status, text = server.health("/readyz?verbose")
    assert status == 200
    assert re.fullmatch(r"\[\+\]source files: read\n\[\+\]certificate: valid for \d+ s\n"
                        r"\[\+\]serving: not shutting down\nreadyz check passed\n", text), text


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


@pytest.mark.parametrize("content, error", [("listen: 5x:\n", ""), ("nonsense: 1\n", ":1:1: "), (None, "No such file")],
                         ids=["wrong", "unknown", "missing"])
def test_broken_configuration_at_start(tmp_path, content, error):
    path = tmp_path / "config.yaml"
    if content:
        path.write_text(content)
    done = run_to_the_end("--config", path, "--self-signed", tmp_path / "certs")
    assert done.returncode == 2
    assert f"sgp-webhook: {path}" in done.stderr and error in done.stderr


# the end

def refuses_connections(server):
    try:
        socket.create_connection(("127.0.0.1", server.port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    return False


def test_termination_is_gentle(start):
    server = start(config={"timeouts": {"shutdownDelaySeconds": 2}})
    body = json.dumps(pod()).encode()
    with server.connect() as kept, server.connect() as in_flight:
        assert kept.ask("POST", MUTATE, body).status == 200
        raw = request_bytes("POST", MUTATE, body)
        in_flight.send(raw[:-20])
        server.wait_for(lambda: server.metric("sgp_webhook_open_connections") == 2)
        server.process.send_signal(signal.SIGTERM)
        assert server.wait_for(lambda: server.events("stopping"))[0]["delaySeconds"] == 2
        status, text = server.health("/readyz")
        assert status == 503 and "[-]serving: shutting down\n" in text
        assert server.health("/healthz") == (200, "ok")
        # new requests are served, over old and new connections, which are closed then
        answer = kept.ask("POST", MUTATE, body)
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        with server.connect() as late:
            answer = late.ask("POST", MUTATE, body)
            assert (answer.status, answer.headers["connection"]) == (200, "close")
        server.wait_for(lambda: refuses_connections(server))
        assert server.process.poll() is None
        in_flight.send(raw[-20:])
        assert in_flight.answer().status == 200
    assert server.process.wait(20) == 0
    assert server.events("stopped")[0]["atOnce"] is False


def test_unfinished_request_does_not_hold_up_the_end(start):
    server = start(config={"timeouts": {"shutdownDelaySeconds": 0, "requestSeconds": 1}})
    with server.connect() as in_flight:
        in_flight.send(request_bytes("POST", MUTATE, b"{", length=100))
        server.wait_for(lambda: server.metric("sgp_webhook_open_connections") == 1)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(20) == 0


def test_idle_connection_does_not_hold_up_the_end(start):
    server = start(config={"timeouts": {"shutdownDelaySeconds": 0}})
    with server.connect() as idle:
        assert idle.ask("POST", MUTATE, json.dumps(pod()).encode()).status == 200
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(20) == 0


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT], ids=lambda second: second.name)
def test_second_signal_leaves_at_once(start, second):
    server = start(config={"timeouts": {"shutdownDelaySeconds": 600}})
    with server.connect() as in_flight:
        in_flight.send(request_bytes("POST", MUTATE, b"{", length=100))
        server.process.send_signal(signal.SIGTERM)
        server.wait_for(lambda: server.events("stopping"))
        server.process.send_signal(second)
        assert server.process.wait(20) == 1
    assert server.events("stopped")[0]["atOnce"] is True


def test_second_signal_while_requests_are_finished(start):
    server = start(config={"timeouts": {"shutdownDelaySeconds": 0}})
    with server.connect() as in_flight:
        in_flight.send(request_bytes("POST", MUTATE, b"{", length=100))
        server.wait_for(lambda: server.metric("sgp_webhook_open_connections") == 1)
        server.process.send_signal(signal.SIGTERM)
        server.wait_for(lambda: refuses_connections(server))
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(20) == 1


def test_interrupt_does_not_wait(start):
    server = start(config={"timeouts": {"shutdownDelaySeconds": 600}})
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(20) == 0


def test_address_can_be_used_again(start):
    server = start()
    assert server.post(MUTATE, pod())[0] == 200
    assert server.stop() == 0
    again = start("--listen", f"127.0.0.1:{server.port}", "--health-listen", f"127.0.0.1:{server.health_port}")
    assert (again.port, again.health_port) == (server.port, server.health_port)
    assert again.post(MUTATE, pod())[0] == 200


# what does not start

def test_address_in_use(start, tmp_path):
    server = start()
    for option, port in (("--listen", server.port), ("--health-listen", server.health_port)):
        done = run_to_the_end("--self-signed", tmp_path / "certs", option, f"127.0.0.1:{port}")
        assert done.returncode == 2
        assert f"sgp-webhook: cannot listen at '127.0.0.1:{port}': Address already in use\n" in done.stderr


@pytest.mark.parametrize("option", ["--listen", "--health-listen"])
@pytest.mark.parametrize("address, error", [
    ("", "'' is not ADDRESS:PORT"), ("8443", "'8443' is not ADDRESS:PORT"), ("localhost", "'localhost' is not ADDRESS:PORT"),
    ("127.0.0.1:https", "the port has to be a number from 0 to 65535"),
    ("127.0.0.1:65536", "the port has to be a number from 0 to 65535"),
    ("127.0.0.1:-1", "the port has to be a number from 0 to 65535"), ("127.0.0.1:", "the port has to be a number"),
    ("::1:8443", "'::1:8443' is not ADDRESS:PORT"), ("192.0.2.1:0", "cannot listen at '192.0.2.1:0': "),
])
def test_unusable_address(tmp_path, option, address, error):
    done = run_to_the_end("--self-signed", tmp_path / "certs", option, address)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("sgp-webhook: ") and error in done.stderr


def test_certificate_is_missing(pair, tmp_path):
    good = pair("good")
    for args, error in (
            ((), "no certificate: give --tls-cert FILE and --tls-key FILE, or --self-signed DIR for local use"),
            (("--tls-cert", good / "tls.crt"), "no certificate: give --tls-cert FILE and --tls-key FILE"),
            (("--tls-key", good / "tls.key"), "no certificate: give --tls-cert FILE and --tls-key FILE"),
            (("--tls-cert", tmp_path / "none.crt", "--tls-key", good / "tls.key"), f"{tmp_path}/none.crt: "),
            (("--tls-cert", good / "tls.crt", "--tls-key", tmp_path / "none.key"), f"{tmp_path}/none.key: "),
            (("--tls-cert", good / "tls.key", "--tls-key", good / "tls.key"), "tls.key: is not a certificate chain in PEM form"),
            (("--self-signed", tmp_path / "no" / "where"), f"{tmp_path}/no/where")):
        done = run_to_the_end(*args)
        assert done.returncode == 2 and done.stderr.startswith("sgp-webhook: ") and error in done.stderr, done.stderr


def test_client_authority_is_missing(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(json.dumps({"tls": {"clientCAFile": str(tmp_path / "none.crt")}}))
    done = run_to_the_end("--self-signed", tmp_path / "certs", "--config", path)
    assert done.returncode == 2 and f"{tmp_path}/none.crt: " in done.stderr


@pytest.mark.parametrize("args, error", [
    (["--nonsense"], "sgp-webhook: --nonsense: no such option; see sgp-webhook serve --help\n"),
    (["-x"], "sgp-webhook: -x: no such option; see sgp-webhook serve --help\n"),
    (["--policies"], "sgp-webhook: --policies: its argument is missing; see sgp-webhook serve --help\n"),
    (["somewhere"], "sgp-webhook: serve: 'somewhere' is no option; see sgp-webhook serve --help\n"),
])
def test_wrong_option(args, error):
    done = run_to_the_end(*args)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", error)


def test_help(sgp):
    done = sgp("serve", "--help")
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.startswith("Usage: sgp-webhook serve [OPTION]...")
    for option in ("config", "listen", "health-listen", "policies", "tls-cert", "tls-key", "self-signed", "help"):
        assert f"--{option}" in done.stdout
    for word in ("SIGTERM", "SIGHUP", "Exit codes: 0"):
        assert word in done.stdout


# all at once

class Load:
    """Clients that ask without a pause, each over connections of its own; `problems` has what they did not expect."""

    def __init__(self, server, count, check):
        self.server, self.check, self.problems, self.asked = server, check, [], 0
        self.context, self.lock, self.end = server.context(), threading.Lock(), threading.Event()
        self.threads = [threading.Thread(target=self._run) for _ in range(count)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.end.set()
        for thread in self.threads:
            thread.join(60)

    def _run(self):
        try:
            while not self.end.is_set():
                self._one_connection()
        except Exception as error:  # a test is to see it, whatever it is
            self.problems.append(repr(error))

    def _one_connection(self):
        with self.server.connect(self.context) as wire:
            for _ in range(20):
                problem = self.check(wire)
                if problem:
                    self.problems.append(problem)
                with self.lock:
                    self.asked += 1
                if self.end.is_set():
                    return


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
    review, groups = json.dumps(pod()).encode(), json.dumps(policy_review(6)).encode()

    def check(wire):
        answer = wire.ask("POST", MUTATE, review).json()["response"]
        found = answer.get("auditAnnotations", {}).get("security-groups")
        if answer["allowed"] is not True or found not in (FIRST, SECOND):
            return str(answer)
        answer = wire.ask("POST", POLICY, groups).json()["response"]
        expected = 0 if answer["allowed"] else 1
        return None if len(answer.get("status", {}).get("details", {}).get("causes", [])) == expected else str(answer)

    with Load(server, 4, check) as load:
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
    body = json.dumps(pod()).encode()

    def check(wire):
        return None if wire.ask("POST", MUTATE, body).status == 200 else "not answered"

    with Load(server, 3, check) as load:
        load.context.load_verify_locations(pairs[1] / "ca.crt")
        for turn in range(1, 7):
            mount(secret, read_pair(pairs[turn % 2]))
            server.wait_for(lambda: len(server.events("certificate-loaded")) == turn + 1)
    assert load.problems == [] and load.asked > 0
    assert server.events("certificate-refused") == []


@pytest.mark.threads
def test_end_under_load(start):
    """During the delay every request is answered, over new connections too."""
    server = start(config={"timeouts": {"shutdownDelaySeconds": 3}, "threads": 4})
    body = json.dumps(pod()).encode()
    load = None

    def check(wire):
        answer = wire.ask("POST", MUTATE, body)
        if answer.headers.get("connection") == "close":
            wire.close()
            wire.__init__(server.port, load.context)
        return None if answer.status == 200 else str(answer.status)

    load = Load(server, 4, check)
    with load:
        server.wait_for(lambda: load.asked > 50)
        server.process.send_signal(signal.SIGTERM)
        server.wait_for(lambda: server.events("stopping"))
        asked = load.asked
        server.wait_for(lambda: load.asked > asked + 50)
    assert load.problems == []
    assert server.process.wait(30) == 0
