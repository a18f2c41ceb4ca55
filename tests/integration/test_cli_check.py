"""sgp-webhook check: manifests in, findings out, and an exit code that CI can go by."""
import json
import os
import pathlib
import pty
import subprocess
import xml.etree.ElementTree as xml

import pytest
from conftest import BINARY

MANIFESTS = pathlib.Path(__file__).resolve().parents[1] / "data" / "manifests"

POLICY = """\
apiVersion: vpcresources.k8s.aws/v1beta1
kind: SecurityGroupPolicy
metadata: {name: web, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}}
  securityGroups: {groupIds: [sg-00000001]}
"""
HOST_POD = """\
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {hostNetwork: true, containers: [{name: c, image: b}]}
"""
HOST_FINDING = "  warn  spec.hostNetwork: policy web has no effect, the pod uses its node's groups [pod-host-network]\n"

FAULTS = """\
faults.yaml:1: SecurityGroupPolicy shop/crowd
  deny  spec.securityGroups.groupIds: 6 security groups, 1 to 5 are allowed [policy-group-count]

faults.yaml:9: SecurityGroupPolicy other/everyone
  warn  spec.podSelector: is empty and selects every pod of the namespace [policy-selects-all]

faults.yaml:16: Deployment shop/web
  deny  spec.template.metadata.labels: 6 security groups by policy crowd, an interface takes 5; \
select it by fewer policies [pod-group-count]
  warn  spec.template.spec.terminationGracePeriodSeconds: 0 may leak the branch interface; \
use 1 or more [pod-grace-period]

2 objects refused, 2 warnings in 4 objects
"""
HELM = """\
-:146: Deployment shop/web
  warn  spec.template.spec.nodeSelector[node.kubernetes.io/instance-type]: t3.large has no branch interfaces, \
the pod would stay Pending [pod-instance-type]

no objects refused, 1 warning in 6 objects
"""
HELM_NOTE = """\
sgp-webhook: note: not looked at: networking.k8s.io/v1 NetworkPolicy, policy/v1 PodDisruptionBudget, v1 Secret, \
v1 ConfigMap, v1 PersistentVolumeClaim, apiextensions.k8s.io/v1 CustomResourceDefinition, \
rbac.authorization.k8s.io/v1 Role, rbac.authorization.k8s.io/v1 RoleBinding, v1 Service, \
autoscaling/v2 HorizontalPodAutoscaler, networking.k8s.io/v1 Ingress
"""
LIST_FINDINGS = {
    "findings": [
        {
            "check": "policy-selector-both",
            "action": "deny",
            "kind": "SecurityGroupPolicy",
            "namespace": "shop",
            "name": "both",
            "field": "spec",
            "message": "podSelector and serviceAccountSelector are both given; keep one",
            "remedy": "",
            "file": "list.json",
            "line": 5,
        },
        {
            "check": "pod-host-network",
            "action": "warn",
            "kind": "Pod",
            "namespace": "shop",
            "name": "web",
            "field": "spec.hostNetwork",
            "message": "policy both has no effect, the pod uses its node's groups",
            "remedy": "",
            "file": "list.json",
            "line": 15,
        },
    ],
    "denied": 1,
    "warned": 1,
}
FAULTS_JUNIT = """\
<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="sgp-webhook check" tests="4" failures="2" errors="0">
  <testcase classname="faults.yaml" name="SecurityGroupPolicy shop/crowd" file="faults.yaml" line="1">
    <failure type="policy-group-count" message="spec.securityGroups.groupIds: 6 security groups, 1 to 5 are allowed \
[policy-group-count]">deny: spec.securityGroups.groupIds: 6 security groups, 1 to 5 are allowed [policy-group-count]
</failure>
  </testcase>
  <testcase classname="faults.yaml" name="SecurityGroupPolicy other/everyone" file="faults.yaml" line="9">
    <system-out>warn: spec.podSelector: is empty and selects every pod of the namespace [policy-selects-all]
</system-out>
  </testcase>
  <testcase classname="faults.yaml" name="Deployment shop/web" file="faults.yaml" line="16">
    <failure type="pod-group-count" message="spec.template.metadata.labels: 6 security groups by policy crowd, an \
interface takes 5; select it by fewer policies [pod-group-count]">deny: spec.template.metadata.labels: 6 security \
groups by policy crowd, an interface takes 5; select it by fewer policies [pod-group-count]
</failure>
    <system-out>warn: spec.template.spec.terminationGracePeriodSeconds: 0 may leak the branch interface; use 1 or \
more [pod-grace-period]
</system-out>
  </testcase>
  <testcase classname="faults.yaml" name="Pod shop/spare" file="faults.yaml" line="26">
  </testcase>
</testsuite>
"""


@pytest.fixture
def check(sgp):
    """Runs `check` where the manifests are, so that file names in its output are short."""

    def run(*args, stdin=None, cwd=MANIFESTS, **kwargs):
        return sgp("check", *args, stdin=stdin, cwd=cwd, **kwargs)

    return run


def write(directory, **files):
    for name, text in files.items():
        (directory / f"{name}.yaml").write_text(text)


@pytest.mark.parametrize(
    "args, code, output",
    [
        (["shop.yaml"], 0, "5 objects, no findings\n"),
        (["faults.yaml"], 1, FAULTS),
        (["--fail-on", "deny", "pods.yaml", "-o", "json"], 0, None),
        (["--fail-on", "warn", "pods.yaml", "-o", "json"], 1, None),
        (["--fail-on", "warn", "shop.yaml"], 0, "5 objects, no findings\n"),
        (["--fail-on=warn", "faults.yaml"], 1, FAULTS),
    ],
)
def test_text_and_exit_code(check, args, code, output):
    done = check(*args)
    assert (done.returncode, done.stderr) == (code, "")
    assert output is None or done.stdout == output


def test_help_names_the_exit_codes(check):
    done = check("--help")
    assert done.returncode == 0 and done.stderr == ""
    assert "Exit codes: 0 clean, 1 refused (or warned of, with --fail-on warn), 2 unusable" in done.stdout


def test_helm_stream(check):
    stream = (MANIFESTS / "helm.yaml").read_text()
    assert stream.count("\n---\n") + 1 > 20
    done = check("-", stdin=stream)
    assert (done.returncode, done.stdout, done.stderr) == (0, HELM, HELM_NOTE)


def test_line_ends_of_windows(check):
    done = check("-", stdin=(MANIFESTS / "faults.yaml").read_text().replace("\n", "\r\n"))
    assert (done.returncode, done.stdout) == (1, FAULTS.replace("faults.yaml", "-"))


def test_json(check):
    done = check("-o", "json", "list.json")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.count("\n") == 1 and done.stdout.endswith("}\n")
    assert json.loads(done.stdout) == LIST_FINDINGS
    members = json.loads(done.stdout, object_pairs_hook=lambda pairs: [key for key, _ in pairs])
    assert members == ["findings", "denied", "warned"]


def test_json_without_findings(check):
    assert check("-o", "json", "shop.yaml").stdout == '{"findings":[],"denied":0,"warned":0}\n'


def test_list_in_yaml(check):
    items = "".join("- " + text.replace("\n", "\n  ").rstrip() + "\n" for text in (POLICY, HOST_POD))
    done = check("-", stdin="apiVersion: v1\nkind: List\nitems:\n" + items)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"-:10: Pod shop/web\n{HOST_FINDING}\nno objects refused, 1 warning in 2 objects\n"


def test_junit(check):
    done = check("-o", "junit", "faults.yaml")
    assert (done.returncode, done.stdout, done.stderr) == (1, FAULTS_JUNIT, "")


def test_junit_counts_warnings_as_failures_when_they_fail(check):
    suite = xml.fromstring(check("-o", "junit", "--fail-on", "warn", "faults.yaml").stdout)
    assert suite.attrib["failures"] == "3"
    assert [len(case.findall("failure")) for case in suite] == [1, 1, 1, 0]
    assert not suite.findall(".//system-out")
    lines = suite[2].find("failure").text.splitlines()
    assert [line.split(":")[0] for line in lines] == ["deny", "warn"]


HOSTILE = '"<b>&\\x01\\e[31m\\x7f\\x9b\\uFFFE\\n\\u00e9"'


def test_junit_escapes(check, tmp_path):
    pod = HOST_POD.replace("name: web,", f"name: {HOSTILE},")
    write(tmp_path, **{"a<&\u00e9\x01": POLICY + "---\n" + pod})
    done = check("-o", "junit", ".", cwd=tmp_path)
    suite = xml.fromstring(done.stdout)
    assert suite[1].attrib["name"] == "Pod shop/<b>&\ufffd\ufffd[31m\ufffd\ufffd\ufffd\ufffd\u00e9"
    assert suite[1].attrib["file"] == "./a<&\u00e9\ufffd.yaml"


def test_text_cannot_steer_the_terminal(check):
    done = check("-", stdin=POLICY + "---\n" + HOST_POD.replace("name: web,", f"name: {HOSTILE},"))
    assert done.stdout.splitlines()[0] == "-:8: Pod shop/<b>&\ufffd\ufffd[31m\ufffd\ufffd\ufffd\ufffd\u00e9"


def test_json_keeps_every_character(check):
    pod = HOST_POD.replace("name: web,", f"name: {HOSTILE},")
    found = json.loads(check("-o", "json", "-", stdin=POLICY + "---\n" + pod).stdout)
    assert found["findings"][0]["name"] == "<b>&\x01\x1b[31m\x7f\x9b\ufffe\n\u00e9"


@pytest.mark.parametrize(
    "args, namespace", [([], "default"), (["-n", "a"], "a"), (["--namespace=b"], "b"), (["-n", ""], "default")]
)
def test_objects_without_namespace(check, args, namespace):
    done = check(*args, "nowhere.yaml")
    assert done.stdout.splitlines()[0] == f"nowhere.yaml:9: Pod {namespace}/web-"
    assert done.stdout.splitlines()[-1] == "no objects refused, 1 warning in 2 objects"


def test_a_namespace_of_its_own_wins(check):
    assert check("-n", "other", "faults.yaml").stdout == FAULTS


def test_accounts(check):
    done = check("accounts.yaml")
    assert done.returncode == 0
    assert done.stdout == (
        "accounts.yaml:30: Pod pay/unknown\n"
        "  warn  spec.serviceAccountName: 'ghost' is not known, so policies team, unlabelled were left out "
        "[pod-account-unknown]\n\nno objects refused, 1 warning in 6 objects\n"
    )


def test_each_file_is_read_once(check, tmp_path):
    write(tmp_path, a=POLICY, b=HOST_POD)
    (tmp_path / "link.yaml").symlink_to("a.yaml")
    done = check("a.yaml", "b.yaml", "./a.yaml", ".", tmp_path, "--policies", ".", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"b.yaml:1: Pod shop/web\n{HOST_FINDING}\nno objects refused, 1 warning in 2 objects\n"


def test_policies_are_known_but_not_checked(check, tmp_path):
    write(tmp_path, a=POLICY.replace("[sg-00000001]", "[sg-00000001, bad]"), b=HOST_POD)
    done = check("--policies", "a.yaml", "b.yaml", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"b.yaml:1: Pod shop/web\n{HOST_FINDING}\nno objects refused, 1 warning in 1 object\n"


def test_directories_are_searched(check, tmp_path):
    (tmp_path / "deep" / "er").mkdir(parents=True)
    write(tmp_path / "deep" / "er", a=POLICY)
    write(tmp_path / "deep", b=HOST_POD)
    (tmp_path / "deep" / "notes.txt").write_text("[no manifest")
    done = check("deep", cwd=tmp_path)
    assert done.stdout.startswith("deep/b.yaml:1: Pod shop/web\n")
    assert done.stdout.endswith("1 warning in 2 objects\n")


@pytest.mark.parametrize(
    "head, path, indent",
    [
        ("apiVersion: apps/v1\nkind: Deployment", "spec.template", 1),
        ("apiVersion: apps/v1\nkind: StatefulSet", "spec.template", 1),
        ("apiVersion: apps/v1\nkind: DaemonSet", "spec.template", 1),
        ("apiVersion: apps/v1\nkind: ReplicaSet", "spec.template", 1),
        ("apiVersion: batch/v1\nkind: Job", "spec.template", 1),
        ("apiVersion: batch/v1\nkind: CronJob", "spec.jobTemplate.spec.template", 3),
        ("apiVersion: v1\nkind: ReplicationController", "spec.template", 1),
    ],
)
def test_workloads(check, head, path, indent):
    inner = "{metadata: {labels: {app: web}}, spec: {hostNetwork: true, containers: [{name: c, image: b}]}}"
    for member in reversed(path.split(".")[1:]):
        inner = f"{{{member}: {inner}}}"
    workload = f"{head}\nmetadata: {{name: w, namespace: shop}}\nspec: {inner}\n"
    done = check("-", stdin=POLICY + "---\n" + workload)
    kind = head.split()[-1]
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        f"-:8: {kind} shop/w\n" + HOST_FINDING.replace("spec.", path + ".spec.", 1)
        + "\nno objects refused, 1 warning in 2 objects\n"
    )


@pytest.mark.parametrize("api_version, kind", [("example.com/v1", "Deployment"), ("apps/v1", "Pod"), ("v1", "Job")])
def test_kinds_of_other_groups_are_passed_over(check, api_version, kind):
    done = check("-", stdin=f"apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: x}}\nspec: 7\n")
    assert (done.returncode, done.stdout) == (0, "no objects, no findings\n")
    assert done.stderr == (
        f"sgp-webhook: note: not looked at: {api_version} {kind}\n"
        "sgp-webhook: note: no policy, pod or workload to check\n"
    )


def test_owned_workloads_are_passed_over(check):
    owned = """\
apiVersion: apps/v1
kind: ReplicaSet
metadata:
  name: web-1
  namespace: shop
  ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: web, controller: true}]
spec:
  template: {metadata: {labels: {app: web}}, spec: {hostNetwork: true}}
"""
    done = check("-", stdin=POLICY + "---\n" + owned)
    assert (done.returncode, done.stdout, done.stderr) == (0, "1 object, no findings\n", "")


def test_configuration(check, tmp_path):
    (tmp_path / "config.yaml").write_text("checks:\n  pod-host-network: deny\nlimits:\n  groupsPerPolicy: 6\n")
    found = json.loads(check("--config", tmp_path / "config.yaml", "-o", "json", "faults.yaml", "list.json").stdout)
    by_check = {finding["check"]: finding["action"] for finding in found["findings"]}
    assert by_check["pod-host-network"] == "deny"
    assert "policy-group-count" not in by_check


@pytest.mark.parametrize("mode, code, action", [("off", 0, None), ("warn", 0, "warn"), ("enforce", 1, "deny")])
def test_mode_of_the_namespace(check, mode, code, action):
    namespace = f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: shop, labels: {{sgp-webhook.io/mode: '{mode}'}}}}\n"
    done = check("-o", "json", "-", stdin="---\n".join([namespace, POLICY, HOST_POD]))
    assert done.returncode == code
    assert [finding["action"] for finding in json.loads(done.stdout)["findings"]] == ([action] if action else [])


def test_remarks_are_notes(check):
    policy = POLICY.replace("  podSelector: {matchLabels: {app: web}}\n", "")
    done = check("-", stdin=policy)
    assert done.returncode == 1
    assert done.stderr == (
        "sgp-webhook: note: -:1: SecurityGroupPolicy shop/web: neither podSelector nor serviceAccountSelector is "
        "given, it selects nothing\n"
    )


@pytest.mark.parametrize("text", ["", "\n", "---\n---\n", "# nothing\n", "null\n"])
def test_nothing_to_check(check, text):
    done = check("-", stdin=text)
    assert (done.returncode, done.stdout) == (0, "no objects, no findings\n")
    assert done.stderr == "sgp-webhook: note: no policy, pod or workload to check\n"


@pytest.mark.parametrize(
    "args, message",
    [
        ([], "no manifests: name files or directories, or - for standard input"),
        (["missing.yaml"], "missing.yaml: cannot be read: No such file or directory"),
        (["shop.yaml", "missing"], "missing: cannot be read: No such file or directory"),
        (["--policies", "missing.yaml", "shop.yaml"], "missing.yaml: cannot be read: No such file or directory"),
        (["--config", "missing.yaml", "shop.yaml"], "missing.yaml: cannot be opened: No such file or directory"),
        (["--loud", "shop.yaml"], "--loud: no such option; see sgp-webhook check --help"),
        (["shop.yaml", "-o"], "-o: its argument is missing; see sgp-webhook check --help"),
        (["-o", "yaml", "shop.yaml"], "--output: 'yaml' is not text, json or junit"),
        (["--fail-on", "never", "shop.yaml"], "--fail-on: 'never' is not deny or warn"),
    ],
)
def test_unusable_command_lines(check, args, message):
    done = check(*args)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"sgp-webhook: {message}\n")


@pytest.mark.parametrize(
    "text, message",
    [
        ("kind: Pod\n  name: x\n", "-:2:7: mapping values are not allowed in this context"),
        ("kind: Pod\nmetadata: {name: x}\n", "-:1:1: apiVersion: missing"),
        ('{"kind": "Pod",\n "apiVersion": ]', "-:2:16: "),
        (POLICY + "---\n" + POLICY, "-:8:1: SecurityGroupPolicy shop/web occurs twice, first in -:1:1"),
        (POLICY.replace("[sg-00000001]", "7"), "-:6:30: spec.securityGroups.groupIds: a number where a list belongs"),
        (POLICY.replace("name: web, ", ""), "-:1:1: "),
        (HOST_POD.replace("hostNetwork: true", "hostNetwork: 7"), "-:4:21: spec.hostNetwork: "),
        ("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\nspec: {template: []}\n", "-:4:18: spec.template: "),
        ("[1, 2]\n", "-:1:1: "),
    ],
)
def test_unusable_manifests(check, text, message):
    done = check("-", stdin=text)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"sgp-webhook: {message}"), done.stderr
    assert done.stderr.count("\n") == 1


def test_broken_json_in_a_file(check, tmp_path):
    (tmp_path / "pod.json").write_text('{"kind": "Pod",\n "apiVersion": }')
    done = check(".", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("sgp-webhook: ./pod.json:2:16: ")


def test_two_definitions_of_one_policy_in_two_files(check, tmp_path):
    write(tmp_path, a=POLICY, b=POLICY)
    done = check("b.yaml", "a.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == (
        "sgp-webhook: a.yaml:1:1: SecurityGroupPolicy shop/web occurs twice, first in b.yaml:1:1\n"
    )


def test_output_that_cannot_be_written(check):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([BINARY, "check", "shop.yaml"], cwd=MANIFESTS, stdout=full, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (2, b"sgp-webhook: standard output: No space left on device\n")


@pytest.mark.parametrize("no_color, coloured", [(None, True), ("", True), ("1", False)])
def test_colour_on_a_terminal_only(no_color, coloured):
    environment = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    if no_color is not None:
        environment["NO_COLOR"] = no_color
    master, slave = pty.openpty()
    subprocess.run([BINARY, "check", "faults.yaml"], cwd=MANIFESTS, stdout=slave, env=environment, check=False)
    os.close(slave)
    seen = os.read(master, 65536).decode()
    os.close(master)
    assert ("\033[31mdeny\033[0m" in seen and "\033[33mwarn\033[0m" in seen) == coloured
    assert ("\033" in seen) == coloured
