"""What is built and installed: a hardened program, and the files around it."""
import os
import subprocess

import pytest

from conftest import BINARY, ROOT

SANITIZED = "asan" in BINARY or "tsan" in BINARY


def readelf(*options):
    return subprocess.run(["readelf", "-W", *options, BINARY], capture_output=True, text=True, check=True).stdout


@pytest.mark.skipif(SANITIZED, reason="sanitizer builds are not hardened")
def test_release_is_hardened():
    assert "Type:                              DYN" in readelf("-h")
    segments = readelf("-l")
    assert "GNU_RELRO" in segments
    stack = next(line for line in segments.splitlines() if "GNU_STACK" in line)
    assert "RWE" not in stack
    dynamic = readelf("-d")
    assert "BIND_NOW" in dynamic and "PIE" in dynamic
    symbols = readelf("--dyn-syms")
    assert "__stack_chk_fail" in symbols and "_chk@" in symbols


@pytest.mark.skipif(SANITIZED, reason="sanitizer builds are not installed")
def test_install(tmp_path):
    subprocess.run(["cmake", "--install", os.path.dirname(BINARY), "--prefix", "/usr"], check=True, capture_output=True,
                   env={**os.environ, "DESTDIR": str(tmp_path)}, cwd=ROOT)
    installed = tmp_path / "usr" / "bin" / "sgp-webhook"
    assert subprocess.run([installed, "version"], capture_output=True, text=True, check=True).stdout.startswith("sgp-webhook ")
    assert (tmp_path / "usr/share/doc/sgp-webhook/README.md").exists()
    assert (tmp_path / "usr/share/doc/sgp-webhook/examples/sgp-webhook.yaml").exists()


@pytest.mark.parametrize("arguments, code, stream", [
    (["--help"], 0, "stdout"), (["-h"], 0, "stdout"), ([], 2, "stderr"), (["servee"], 2, "stderr"),
])
def test_top_level_help(sgp, arguments, code, stream):
    done = sgp(*arguments)
    assert done.returncode == code
    for command in ("serve", "review", "check", "explain", "limits", "certs", "version"):
        assert f"  {command} " in getattr(done, stream)


@pytest.mark.parametrize("command", ["serve", "review", "check", "explain", "limits", "certs", "version"])
def test_every_command_has_help_and_refuses_unknown_options(sgp, command):
    done = sgp(command, "--help")
    assert done.returncode == 0 and done.stdout.startswith(f"Usage: sgp-webhook {command} ") and done.stderr == ""
    wrong = sgp(command, "--no-such-option")
    assert wrong.returncode == 2 and wrong.stdout == ""
    assert wrong.stderr == f"sgp-webhook: --no-such-option: no such option; see sgp-webhook {command} --help\n"


def test_version(sgp):
    assert sgp("version").stdout == sgp("--version").stdout
