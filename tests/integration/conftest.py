"""What all process tests share: the built binary, and a running server with its own certificate."""
import json
import os
import pathlib
import re
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "data"
BINARY = os.environ.get("SGP_WEBHOOK", str(ROOT / "build" / "sgp-webhook"))


@pytest.fixture
def sgp():
    """Runs the command line."""

    def run(*args, stdin=None, **kwargs):
        return subprocess.run([BINARY, *map(str, args)], input=stdin, capture_output=True, text=True, timeout=60, **kwargs)

    return run


class Answer:
    """An HTTP answer as it came over the wire."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


class Wire:
    """A connection that sends bytes just as they are given. TLS, unless `context` is False."""

    def __init__(self, port, context=None, seconds=20):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=seconds)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        if context is not False:
            self.socket = context.wrap_socket(self.socket, server_hostname="localhost")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, *pieces):
        for piece in pieces:
            self.socket.sendall(piece if isinstance(piece, bytes) else piece.encode())

    def _more(self):
        try:
            piece = self.socket.recv(65536)
        except (ConnectionError, ssl.SSLError) as error:
            if isinstance(error, TimeoutError):
                raise
            piece = b""
        self.buffer += piece
        return piece

    def _take(self, enough):
        while (size := enough()) is None:
            if not self._more():
                raise EOFError(f"the server closed the connection after {self.buffer!r}")
        piece, self.buffer = self.buffer[:size], self.buffer[size:]
        return piece

    def _head(self):
        def end():
            at = self.buffer.find(b"\r\n\r\n")
            return None if at < 0 else at + 4

        first, *lines = self._take(end).decode("latin-1").rstrip().split("\r\n")
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        return int(first.split(" ", 2)[1]), headers

    def answer(self, bodyless=False):
        """The next answer; `bodyless` for one to HEAD. 100 Continue is an answer of its own."""
        status, headers = self._head()
        size = 0 if bodyless or status == 100 else int(headers.get("content-length", 0))
        body = self._take(lambda: size if len(self.buffer) >= size else None) if size else b""
        return Answer(status, headers, body)

    def ask(self, method, path, body=b"", headers=("Content-Type: application/json",)):
        """A request as it should be, and its answer."""
        self.send(request_bytes(method, path, body, headers))
        return self.answer(bodyless=method == "HEAD")

    def drain(self):
        """What the server still says before it closes the connection."""
        while self._more():
            pass
        return self.buffer

    def reset(self):
        """Leaves as a process does that is killed: the other side gets a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self):
        self.socket.close()


MUTATE = "/mutate-v1-pod"


def pod(app="web", namespace="shop"):
    return {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": {
        "uid": "u-1", "kind": {"group": "", "version": "v1", "kind": "Pod"}, "namespace": namespace, "operation": "CREATE",
        "userInfo": {"username": "admin"}, "object": {
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": namespace, "labels": {"app": app}},
            "spec": {"containers": [{"name": "c", "image": "i"}]}}}}


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


def request_bytes(method, path, body=b"", headers=("Content-Type: application/json",), length=None):
    """One request; `length` overrides what Content-Length says, "" leaves the header out."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *headers]
    if length != "":
        lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Server:
    """A server process; its log is read as JSON lines."""

    def __init__(self, directory, *args, config=None, env=None, runner=()):
        self.directory = pathlib.Path(directory)
        self.log_path = self.directory / "server.log"
        self.certs = self.directory / "certs"
        self.config_path = self.directory / "config.yaml"
        options = ["--listen", "127.0.0.1:0", "--health-listen", "127.0.0.1:0"]
        if "--tls-cert" not in args and "--config" not in args:
            options += ["--self-signed", str(self.certs)]
        if config is not None:
            self.configure(config)
            options += ["--config", str(self.config_path)]
        self.log_file = open(self.log_path, "wb")
        self.process = subprocess.Popen([*runner, BINARY, "serve", *options, *map(str, args)], stderr=self.log_file,
                                        env={**os.environ, **(env or {})})
        self.port, self.health_port = self._ports()

    def _ports(self):
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            listening = self.events("listening")
            if len(listening) == 2:
                by_name = {e["listener"]: int(e["address"].rsplit(":", 1)[1]) for e in listening}
                return by_name["admission"], by_name["health"]
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        self.process.kill()
        self.process.wait()
        raise RuntimeError("the server does not listen:\n" + self.log_path.read_text())

    def log(self):
        whole_lines = self.log_path.read_text().rpartition("\n")[0].splitlines()
        return [json.loads(line) for line in whole_lines if line.startswith("{")]

    def events(self, name):
        return [line for line in self.log() if line.get("event") == name]

    def wait_for(self, what, seconds=20):
        """Waits until `what()` is true; returns its value."""
        deadline = time.monotonic() + seconds
        while True:
            value = what()
            if value:
                return value
            assert time.monotonic() < deadline, "did not happen; log:\n" + self.log_path.read_text()[-4000:]
            time.sleep(0.02)

    def configure(self, config):
        """Writes the configuration file; JSON is YAML."""
        self.config_path.write_text(config if isinstance(config, str) else json.dumps(config, indent=1))

    def context(self, **versions):
        """How a client of this server speaks TLS; keeps to `versions`, e.g. maximum_version."""
        context = ssl.create_default_context(cafile=self.ca)
        for name, version in versions.items():
            setattr(context, name, version)
        return context

    def connect(self, context=None, seconds=20):
        return Wire(self.port, self.context() if context is None else context, seconds)

    @property
    def ca(self):
        return str(self.certs / "ca.crt")

    def url(self, path):
        return f"https://127.0.0.1:{self.port}{path}"

    def curl(self, path, *args, stdin=None):
        """Real curl; returns (status, body)."""
        done = subprocess.run(["curl", "-sS", "--max-time", "30", "--cacert", self.ca, "-w", "\n%{http_code}",
                               *map(str, args), self.url(path)], input=stdin, capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr.decode()
        body, _, status = done.stdout.rpartition(b"\n")
        return int(status), body

    def post(self, path, body):
        if not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        if isinstance(body, str):
            body = body.encode()
        return self.curl(path, "-H", "Content-Type: application/json", "--data-binary", "@-", stdin=body)

    def review(self, path, body):
        status, answer = self.post(path, body)
        assert status == 200, answer
        return json.loads(answer)["response"]

    def health(self, path):
        done = subprocess.run(["curl", "-sS", "--max-time", "10", "-w", "\n%{http_code}",
                               f"http://127.0.0.1:{self.health_port}{path}"], capture_output=True, timeout=30)
        body, _, status = done.stdout.rpartition(b"\n")
        return int(status), body.decode()

    def metric(self, name, **labels):
        """The value of one series, 0 when it is not there."""
        _, text = self.health("/metrics")
        for line in text.splitlines():
            found = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line)
            if not found or found[1] != name:
                continue
            has = dict(re.findall(r'(\w+)="([^"]*)"', found[2] or ""))
            if all(has.get(key) == value for key, value in labels.items()):
                return float(found[3])
        return 0.0

    def stop(self, seconds=30):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log_file.close()
        return self.process.returncode


class Load:
    """Clients that send these requests over and over, over connections of their own; `problems` is what went wrong:
    what `check(path, answer)` says, or a connection that was lost."""

    def __init__(self, server, count, requests, check):
        self.server, self.requests, self.check, self.problems, self.asked = server, requests, check, [], 0
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
        except Exception as error:  # whatever it is, the test is to see it
            self.problems.append(repr(error))

    def _one_connection(self):
        with self.server.connect(self.context) as wire:
            for path, body in self.requests * 10:
                answer = wire.ask("POST", path, body)
                problem = self.check(path, answer)
                with self.lock:
                    self.problems += [problem] if problem else []
                    self.asked += 1
                if self.end.is_set() or answer.headers.get("connection") == "close":
                    return


def is_answered(path, answer):
    return None if answer.status == 200 else f"{path}: {answer.status}"


def stop_all(servers):
    """Those that still run; all of them, before the first that did not end well is complained of."""
    running = [server for server in servers if server.process.poll() is None]
    codes = [server.stop() for server in running]
    for server, code in zip(running, codes):
        assert code == 0, server.log_path.read_text()[-4000:]
    for server in servers:
        server.log_file.close()


@pytest.fixture
def pair(sgp, tmp_path):
    """Makes directories, each with a CA and a certificate of it for this machine."""

    def make(name):
        assert sgp("certs", tmp_path / name, "--dns", "localhost", "--ip", "127.0.0.1").returncode == 0
        return tmp_path / name

    return make


@pytest.fixture
def start(tmp_path):
    """Starts servers that are stopped at the end; each that still runs has to leave with 0 then."""
    servers = []

    def run(*args, **kwargs):
        directory = tmp_path / f"server{len(servers)}"
        directory.mkdir()
        servers.append(Server(directory, *args, **kwargs))
        return servers[-1]

    yield run
    stop_all(servers)


@pytest.fixture(scope="module")
def start_for_module(tmp_path_factory):
    """Starts servers for all tests of a file."""
    servers = []

    def run(*args, **kwargs):
        servers.append(Server(tmp_path_factory.mktemp("server"), *args, **kwargs))
        return servers[-1]

    yield run
    stop_all(servers)


@pytest.fixture(scope="module")
def server(start_for_module):
    """One server for the tests of a file that only ask: it knows the recorded manifests."""
    return start_for_module("--policies", DATA / "manifests.yaml")
