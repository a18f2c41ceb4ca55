"""What the README and the examples promise: run and compared."""
import json
import os
import pathlib
import re
import signal
import subprocess
import time

import pytest
import yaml

from conftest import BINARY, ROOT

README = (ROOT / "README.md").read_text()
ENVIRONMENT = {**os.environ, "PATH": f"{pathlib.Path(BINARY).resolve().parent}:{os.environ['PATH']}", "NO_COLOR": "1"}


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.M | re.S)


def console_examples():
    """Command, expected output."""
    for block in blocks("console"):
        for piece in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, output = piece.partition("\n")
            yield pytest.param(command, output, id=command)


@pytest.mark.parametrize("command, output", console_examples())
def test_console_example(command, output):
    done = subprocess.run(command, shell=True, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, timeout=60)
    assert done.stdout == output and done.stderr == ""
    assert done.returncode in (0, 1)


def test_there_are_console_examples():
    assert len(list(console_examples())) >= 2


def test_first_commands():
    """The two commands to try it, in the first block, are targets of the Makefile."""
    commands = [line.split("#")[0].strip() for line in blocks("sh")[0].splitlines() if line.strip()]
    assert [command.split()[0] for command in commands] == ["make", "make"]
    for command in commands:
        done = subprocess.run(["make", "-n", *command.split()[1:]], cwd=ROOT, capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr


def test_first_screen():
    assert README.index("make demo") < README.index("make test") < len(README)
    assert README[:README.index("make demo")].count("\n") < 30


def test_certificate_example(tmp_path):
    """The commands of the section on registering: the bundle, then the server with the pair."""
    lines = blocks("sh")[1].splitlines()
    certs, serve = (next(line for line in lines if line.startswith(start)) for start in ("bundle=", "sgp-webhook serve"))
    assert certs.startswith("bundle=$(sgp-webhook certs certs ") and serve.startswith("sgp-webhook serve ")
    (tmp_path / "policies").mkdir()
    process = subprocess.Popen(f"{certs}; echo $bundle; exec {serve} --listen 127.0.0.1:0 --health-listen 127.0.0.1:0", shell=True,
                               cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert re.fullmatch(r"[A-Za-z0-9+/=]+\n", process.stdout.readline())
        events = [json.loads(process.stderr.readline())["event"] for _ in range(5)]
        assert events.count("listening") == 2 and "ready" in events
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert process.returncode == 0


def test_commands_of_the_table_exist(sgp):
    table = README[README.index("| command | does |"):]
    commands = re.findall(r"^\| `(\w+)", table, re.M)
    listed = re.findall(r"^  (\w+) ", sgp("--help").stdout, re.M)
    assert commands == listed
    for command in commands:
        done = sgp(command, "--help")
        assert done.returncode == 0 and done.stdout.startswith(f"Usage: sgp-webhook {command} "), command


def test_linked_files_exist():
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target
    for target in re.findall(r"`(examples/[\w./-]+)`", README):
        assert (ROOT / target).exists(), target


def yaml_texts():
    for number, block in enumerate(blocks("yaml"), 1):
        yield pytest.param(block, id=f"README {number}")
    for path in sorted((ROOT / "examples").glob("*.yaml")):
        yield pytest.param(path.read_text(), id=path.name)


@pytest.mark.parametrize("text", yaml_texts())
def test_yaml_is_sound(text):
    documents = list(yaml.safe_load_all(text))
    assert documents and all(isinstance(document, dict) for document in documents)


def registrations():
    for text in [*blocks("yaml"), (ROOT / "examples" / "webhooks.yaml").read_text()]:
        for document in yaml.safe_load_all(text):
            for webhook in document.get("webhooks", []):
                yield pytest.param(document["kind"], webhook, id=webhook["name"])


@pytest.mark.parametrize("kind, webhook", registrations())
def test_registration_leads_to_an_endpoint(server, kind, webhook):
    path = re.fullmatch(r"https://[^/]+(/.*)", webhook["clientConfig"]["url"])[1]
    assert server.curl(path, "-X", "POST")[0] == 415  # and not 404
    assert path.startswith("/mutate-") == (kind == "MutatingWebhookConfiguration")
    assert webhook["admissionReviewVersions"] == ["v1", "v1beta1"]
    assert webhook["sideEffects"] == "None" and 1 <= webhook["timeoutSeconds"] <= 30


def test_readme_registers_what_the_example_registers():
    """One row of the table for each endpoint of the validating configuration."""
    rows = re.findall(r"^\| `(/[\w-]+)` \| .* \| (Ignore|Fail) \|$", README, re.M)
    documents = yaml.safe_load_all((ROOT / "examples" / "webhooks.yaml").read_text())
    webhooks = [webhook for document in documents if document["kind"] == "ValidatingWebhookConfiguration"
                for webhook in document["webhooks"]]
    assert set(rows) == {("/" + webhook["clientConfig"]["url"].rsplit("/", 1)[1], webhook["failurePolicy"]) for webhook in webhooks}


def test_example_configuration_is_the_default(start):
    """Every setting stands in it, and starts a server that does what one without it does."""
    example = yaml.safe_load((ROOT / "examples" / "sgp-webhook.yaml").read_text())
    assert example["limits"]["bodyBytes"] == 8388608
    server = start(config=(ROOT / "examples" / "sgp-webhook.yaml").read_text())
    assert server.health("/readyz") == (200, "ok")
    server.configure("{}\n")
    server.process.send_signal(signal.SIGHUP)
    loaded = server.wait_for(lambda: server.events("configuration-loaded"))
    assert loaded[0].get("takesEffectAtNextStart") is None


def test_example_policies_have_no_findings(sgp):
    done = sgp("check", ROOT / "examples" / "policies.yaml")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


# make demo and make run; the targets call these scripts with the binary

@pytest.fixture(scope="module")
def demo():
    done = subprocess.run([ROOT / "examples" / "demo.sh", BINARY], capture_output=True, text=True, timeout=60, env=ENVIRONMENT)
    assert (done.returncode, done.stderr) == (0, "")
    steps = re.split(r"^(\d+)\. ", done.stdout, flags=re.M)
    return dict(zip(map(int, steps[1::2]), steps[2::2])), done.stdout


def test_demo_has_all_steps(demo):
    assert list(demo[0]) == [1, 2, 3, 4, 5, 6, 7]
    assert "\x1b" not in demo[1]


@pytest.mark.parametrize("step, lines", [
    (1, ["POST /mutate-v1-pod", "allowed", 'patch:   add /spec/containers/0/resources/limits/vpc.amazonaws.com~1pod-eni "1"',
         'patch:   add /spec/containers/0/resources/requests/vpc.amazonaws.com~1pod-eni "1"',
         "audit:   security-groups=sg-0123456789abcdef0", "audit:   policies=my-security-group-policy"]),
    (2, ["POST /mutate-v1-pod", "allowed", "patch:   none"]),
    (3, ["POST /validate-v1-pod", "audit:   findings=pod-branch-missing=deny"]),
    (4, ["POST /validate-v1beta1-securitygrouppolicy",
         "refused: spec.securityGroups.groupIds: 6 security groups, 1 to 5 are allowed [policy-group-count]",
         "cause:   spec.securityGroups.groupIds: 6 security groups, 1 to 5 are allowed (policy-group-count)"]),
    (5, ["refused: spec: podSelector and serviceAccountSelector are both given; keep one [policy-selector-both]",
         "cause:   spec: podSelector and serviceAccountSelector are both given; keep one (policy-selector-both)"]),
    (6, ["POST /validate-workload", "allowed", "audit:   findings=pod-instance-type=warn"]),
    (7, ['patch:   add /metadata/annotations/fargate.amazonaws.com~1pod-sg "sg-0123456789abcdef0"']),
])
def test_demo_step(demo, step, lines):
    has = [line.strip() for line in demo[0][step].splitlines()]
    for line in lines:
        assert line in has
    if step == 6:
        assert any(re.fullmatch(r"warning: .*t3\.large has no branch interfaces.* \[pod-instance-type\]", line) for line in has)


def test_demo_shows_the_metrics_that_moved(demo):
    moved = demo[1][demo[1].index("The metrics that moved"):]
    assert ('sgp_webhook_reviews_total{endpoint="mutate-v1-pod",operation="CREATE",decision="patched",dry_run="false"} 2\n'
            in moved)
    for check, action in (("policy-group-count", "deny"), ("policy-selector-both", "deny"), ("pod-instance-type", "warn")):
        assert f'sgp_webhook_findings_total{{check="{check}",action="{action}"}} 1\n' in moved


def test_make_targets_call_the_scripts():
    for target, script in (("demo", "examples/demo.sh"), ("run", "examples/run.sh")):
        done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, timeout=30)
        assert f"{script} build/sgp-webhook" in done.stdout


def test_run_prints_a_command_that_works(tmp_path):
    output = tmp_path / "output"
    with open(output, "wb") as file:
        process = subprocess.Popen([ROOT / "examples" / "run.sh", BINARY], stdout=file, stderr=subprocess.STDOUT,
                                   env={**ENVIRONMENT, "LISTEN": "127.0.0.1:0", "HEALTH_LISTEN": "127.0.0.1:0"},
                                   start_new_session=True)
    try:
        deadline = time.monotonic() + 30
        while "Its log:" not in output.read_text():
            assert time.monotonic() < deadline and process.poll() is None, output.read_text()
            time.sleep(0.05)
        command, metrics = re.search(r"^  (curl --cacert .*?\n.*?)\n  (curl http.*?)\n", output.read_text(), re.M | re.S).groups()
        done = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True, timeout=30)
        assert json.loads(done.stdout)["response"]["patchType"] == "JSONPatch", done.stderr
        done = subprocess.run(metrics, shell=True, capture_output=True, text=True, timeout=30)
        assert 'decision="patched"' in done.stdout
    finally:
        os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does
        process.wait(30)
    work = pathlib.Path(re.search(r"--cacert (\S+)/certs/ca.crt", command)[1])
    assert not work.exists()
