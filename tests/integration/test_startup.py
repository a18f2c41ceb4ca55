"""The start and the end of serve: options, addresses, certificates, readiness, signals."""
import json
import re
import signal
import socket
import subprocess

import pytest

from conftest import BINARY, DATA, MUTATE, Load, groups_of, is_answered, pod, policy, replace, request_bytes

GROUP = "sg-0123456789abcdef1"


def run_to_the_end(*args):
    """A server that is expected not to start."""
    return subprocess.run([BINARY, "serve", "--listen", "127.0.0.1:0", "--health-listen", "127.0.0.1:0", *map(str, args)],
                          capture_output=True, text=True, timeout=30)


# ready, or not yet

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
    replace(path, policy("p", GROUP))
    server.wait_for(lambda: server.health("/readyz") == (200, "ok"))
    assert groups_of(server) == GROUP
    assert len(server.events("ready")) == 1


def test_missing_directory_is_waited_for(start, tmp_path):
    server = start("--policies", tmp_path / "later" / "policies")
    assert server.health("/readyz")[0] == 503
    (tmp_path / "later" / "policies").mkdir(parents=True)
    (tmp_path / "later" / "policies" / "p.yaml").write_text(policy("p", GROUP))
    server.wait_for(lambda: server.health("/readyz") == (200, "ok"))
    server.wait_for(lambda: groups_of(server) == GROUP)


def test_readyz_in_detail(start):
    server = start("--policies", DATA / "manifests.yaml")
    assert server.health("/readyz") == (200, "ok")
    status, text = server.health("/readyz?verbose")
    assert status == 200
    assert re.fullmatch(r"\[\+\]source files: read\n\[\+\]certificate: valid for \d+ s\n"
                        r"\[\+\]serving: not shutting down\nreadyz check passed\n", text), text


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
            (("--tls-cert", good / "tls.crt"), "tls.keyFile is missing: a certificate and its key belong together"),
            (("--tls-key", good / "tls.key"), "tls.certFile is missing: a certificate and its key belong together"),
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
    except ConnectionError:  # refused; or reset, when it was about to be accepted
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


@pytest.mark.threads
def test_end_under_load(start):
    """During the delay every request is answered, over new connections too."""
    server = start(config={"timeouts": {"shutdownDelaySeconds": 3}, "threads": 4})
    with Load(server, 4, [(MUTATE, json.dumps(pod()).encode())], is_answered) as load:
        server.wait_for(lambda: load.asked > 50)
        server.process.send_signal(signal.SIGTERM)
        server.wait_for(lambda: server.events("stopping"))
        asked = load.asked
        server.wait_for(lambda: load.asked > asked + 50)
    assert load.problems == []
    assert server.process.wait(30) == 0
