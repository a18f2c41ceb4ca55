"""The certs command: files, names, lifetime and what it prints."""
import base64
import re
import ssl
import subprocess

import pytest


def openssl(*args, check=True):
    done = subprocess.run(["openssl", *map(str, args)], capture_output=True, text=True, timeout=30)
    assert not check or done.returncode == 0, done.stderr
    return done


def names_of(certificate):
    text = openssl("x509", "-in", certificate, "-noout", "-ext", "subjectAltName").stdout
    return sorted(re.findall(r"(?:DNS|IP Address):([^,\s]+)", text))


def make(sgp, directory, *args):
    done = sgp("certs", directory, *args)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_files_and_bundle(sgp, tmp_path):
    directory = tmp_path / "certs"
    bundle = make(sgp, directory)
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in directory.iterdir()} == {
        "ca.crt": "0o644", "tls.crt": "0o644", "tls.key": "0o600"}
    assert directory.stat().st_mode & 0o777 == 0o700
    assert bundle.count("\n") == 1 and base64.b64decode(bundle, validate=False) == (directory / "ca.crt").read_bytes()
    assert re.fullmatch(r"[A-Za-z0-9+/]+=*\n", bundle)
    assert names_of(directory / "tls.crt") == ["0:0:0:0:0:0:0:1", "127.0.0.1", "localhost"]


def test_certificate_is_of_the_authority(sgp, tmp_path):
    make(sgp, tmp_path / "a")
    make(sgp, tmp_path / "b")
    ours, other = tmp_path / "a", tmp_path / "b" / "ca.crt"
    verify = ["verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", "localhost"]
    assert openssl(*verify, "-CAfile", ours / "ca.crt", ours / "tls.crt").stdout.strip().endswith("OK")
    assert openssl(*verify, "-CAfile", other, ours / "tls.crt", check=False).returncode != 0
    assert openssl("verify", "-x509_strict", "-verify_hostname", "example.com", "-CAfile", ours / "ca.crt", ours / "tls.crt",
                   check=False).returncode != 0
    public = openssl("x509", "-in", ours / "tls.crt", "-noout", "-pubkey").stdout
    assert openssl("pkey", "-in", ours / "tls.key", "-pubout").stdout == public
    assert "prime256v1" in openssl("pkey", "-in", ours / "tls.key", "-noout", "-text").stdout
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(ours / "tls.crt", ours / "tls.key")


def test_roles(sgp, tmp_path):
    make(sgp, tmp_path)
    authority = openssl("x509", "-in", tmp_path / "ca.crt", "-noout", "-text").stdout
    leaf = openssl("x509", "-in", tmp_path / "tls.crt", "-noout", "-text").stdout
    assert "CA:TRUE, pathlen:0" in authority and "Certificate Sign" in authority
    assert "CA:FALSE" in leaf and "TLS Web Server Authentication" in leaf and "Digital Signature" in leaf


def test_names(sgp, tmp_path):
    make(sgp, tmp_path, "--dns", "sgp-webhook.kube-system.svc", "--dns", "*.example.internal", "--ip", "10.0.0.7", "--ip", "fd00::7")
    assert names_of(tmp_path / "tls.crt") == ["*.example.internal", "10.0.0.7", "FD00:0:0:0:0:0:0:7", "sgp-webhook.kube-system.svc"]


@pytest.mark.parametrize("args, names", [(["--dns", "a.b"], ["a.b"]), (["--ip", "10.0.0.1"], ["10.0.0.1"])])
def test_given_names_replace_the_default(sgp, tmp_path, args, names):
    make(sgp, tmp_path, *args)
    assert names_of(tmp_path / "tls.crt") == names


@pytest.mark.parametrize("days, still, over", [(None, 364, 366), (1, 0, 2), (30, 29, 31), (3650, 3649, 3651)])
def test_lifetime(sgp, tmp_path, days, still, over):
    make(sgp, tmp_path, *(["--days", days] if days else []))
    for name in ("ca.crt", "tls.crt"):
        def ends_within(at):
            return openssl("x509", "-in", tmp_path / name, "-noout", "-checkend", at * 86400, check=False).returncode == 1

        assert not ends_within(still) and ends_within(over)


def test_each_run_makes_another_authority(sgp, tmp_path):
    bundles = {make(sgp, tmp_path) for _ in range(3)}
    assert len(bundles) == 3
    assert openssl("verify", "-CAfile", tmp_path / "ca.crt", tmp_path / "tls.crt").returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ca.crt", "tls.crt", "tls.key"]


def test_existing_key_becomes_private(sgp, tmp_path):
    (tmp_path / "tls.key").write_text("an older one")
    (tmp_path / "tls.key").chmod(0o666)
    make(sgp, tmp_path)
    assert (tmp_path / "tls.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("args, error", [
    ([], "certs: name one directory; see sgp-webhook certs --help"),
    (["a", "b"], "certs: name one directory; see sgp-webhook certs --help"),
    (["{}/no/where"], "{}/no/where: cannot be created, its parent directory does not exist"),
    (["{}/file"], "{}/file/ca.crt: cannot be written: Not a directory"),
    (["{}", "--days", "0"], "--days: '0' is no number from 1 to 3650"),
    (["{}", "--days", "3651"], "--days: '3651' is no number from 1 to 3650"),
    (["{}", "--days", "many"], "--days: 'many' is no number from 1 to 3650"),
    (["{}", "--dns", ""], "DNS name '': has to be labels of letters, digits and '-', joined by dots, "
                          "e.g. sgp-webhook.kube-system.svc"),
    (["{}", "--dns", "a b"], "DNS name 'a b': has to be labels of letters, digits and '-', joined by dots, "
                             "e.g. sgp-webhook.kube-system.svc"),
    (["{}", "--dns", "good", "--ip", "1.2.3"], "IP address '1.2.3': is neither IPv4, e.g. 127.0.0.1, nor IPv6, e.g. ::1"),
    (["{}", "--ip", "10.0.0.0/8"], "IP address '10.0.0.0/8': is neither IPv4, e.g. 127.0.0.1, nor IPv6, e.g. ::1"),
    (["{}", "--nonsense"], "--nonsense: no such option; see sgp-webhook certs --help"),
    (["{}", "--dns"], "--dns: its argument is missing; see sgp-webhook certs --help"),
])
def test_unusable_options_leave_nothing(sgp, tmp_path, args, error):
    (tmp_path / "file").touch()
    done = sgp("certs", *(arg.format(tmp_path) for arg in args))
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"sgp-webhook: {error.format(tmp_path)}\n")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_help(sgp):
    done = sgp("certs", "--help")
    assert done.returncode == 0 and done.stdout.startswith("Usage: sgp-webhook certs [OPTION]... DIR\n")
    for word in ("--dns", "--ip", "--days", "Exit codes: 0 done, 2 unusable"):
        assert word in done.stdout
