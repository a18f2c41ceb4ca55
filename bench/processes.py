"""The processes of a run: what serves is pinned to one core, what loads it to the other."""
import json
import os
import pathlib
import re
import ssl
import socket
import subprocess
import time

BENCH = pathlib.Path(__file__).resolve().parent
SERVER_CORE, CLIENT_CORE = "0", str(os.cpu_count() - 1)
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
CONNECTIONS = 16


class Process:
    """A server; its standard error is a file in the work directory, emptied before each sample."""

    def __init__(self, work, name, command):
        self.log_path = work / f"{name}.log"
        self.started_s = time.monotonic()
        with open(self.log_path, "ab") as log:
            log.truncate(0)
            self.process = subprocess.Popen(["taskset", "-c", SERVER_CORE, *map(str, command)], stdout=subprocess.PIPE,
                                            stderr=log)

    def _proc(self, name):
        return pathlib.Path(f"/proc/{self.process.pid}/{name}").read_text()

    def cpu_s(self):
        """User and system time of all threads."""
        fields = self._proc("stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_S

    def memory_mib(self, name="VmRSS"):
        return int(re.search(rf"^{name}:\s+(\d+) kB", self._proc("status"), re.MULTILINE)[1]) / 1024

    def empty_log(self):
        os.truncate(self.log_path, 0)

    def check(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.process.args[3]} ended:\n{self.log_path.read_text()[-2000:]}")

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Ceiling(Process):
    """The bare server, which answers the bytes of the file `answer`."""

    def __init__(self, site, answer):
        super().__init__(site.work, "ceiling", [site.build / "bench/ceiling", "127.0.0.1:0", site.certificate,
                                                site.key, answer])
        line = self.process.stdout.readline()
        self.ready_s = time.monotonic() - self.started_s
        if not line:
            self.process.wait()
            self.check()
        self.port = int(line)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def answers_ready(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as wire:
            wire.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return wire.recv(64).startswith(b"HTTP/1.1 200 ")
    except OSError:
        return False


def accepts(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
        return True
    except OSError:
        return False


class Server(Process):
    """sgp-webhook serve with the defaults but for one thread; `ready_s` is how long it took from its start until
    /readyz said so and the admission port was open."""

    def __init__(self, site, policies, **settings):
        config = site.work / "config.yaml"
        config.write_text(json.dumps({"threads": 1, **settings}))
        self.port, self.health_port = free_port(), free_port()
        super().__init__(site.work, "server", [
            site.binary, "serve", "--config", config, "--listen", f"127.0.0.1:{self.port}",
            "--health-listen", f"127.0.0.1:{self.health_port}", "--policies", policies,
            "--tls-cert", site.certificate, "--tls-key", site.key])
        self._wait()

    def _wait(self):
        while not (answers_ready(self.health_port) and accepts(self.port)):
            self.check()
            if time.monotonic() > self.started_s + 120:
                self.stop()
                raise RuntimeError("the server is not ready after two minutes")
            time.sleep(0.0005)
        self.ready_s = time.monotonic() - self.started_s


class Review:
    """What is sent: the path of the endpoint and the file with the body."""

    def __init__(self, name, endpoint, body):
        self.name, self.endpoint, self.body = name, endpoint, body

    @property
    def path(self):
        return f"{self.endpoint}?timeout=10s"


def output_of(command):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stderr.strip() or done.returncode}")
    return done.stdout


def sample_of(process, command):
    """What a client, which prints JSON, has to say, and what that cost the server."""
    process.empty_log()
    cpu_s = process.cpu_s()
    sample = json.loads(output_of(["taskset", "-c", CLIENT_CORE, *command]).splitlines()[-1])
    cpu_s = process.cpu_s() - cpu_s
    process.check()
    if sample.get("errors"):
        raise RuntimeError(f"{sample['errors']} requests failed")
    return {**sample, "per_s": sample["answers"] / sample["seconds"], "cpu_us": cpu_s * 1e6 / sample["answers"],
            "busy": cpu_s / sample["seconds"]}


def saturate(process, review, seconds):
    """As many reviews as go through, by wrk."""
    return sample_of(process, ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", BENCH / "post.lua",
                               f"https://127.0.0.1:{process.port}{review.path}", "--", review.body])


def load(site, process, review, seconds, rate=0, namespaces=0):
    """By our own client: at a fixed mean rate, for latencies, or as many as go through, for ever other namespaces."""
    connections = 2 * CONNECTIONS if rate else CONNECTIONS
    return sample_of(process, [site.build / "bench/load", process.port, review.path, review.body, f"{rate:.1f}", seconds,
                               connections, namespaces])


class Wire:
    """One TLS connection, for single questions."""

    def __init__(self, port, ca):
        context = ssl.create_default_context(cafile=ca)
        self.socket = context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=20),
                                          server_hostname="127.0.0.1")

    def ask(self, path, body):
        head = (f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n")
        self.socket.sendall(head.encode() + body)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._more()
        head, _, answer = answer.partition(b"\r\n\r\n")
        size = int(re.search(rb"Content-Length: (\d+)", head)[1])
        while len(answer) < size:
            answer += self._more()
        return json.loads(answer)["response"]

    def _more(self):
        piece = self.socket.recv(65536)
        if not piece:
            raise RuntimeError("the server closed the connection")
        return piece
