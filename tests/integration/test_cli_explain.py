"""sgp-webhook explain: why each pod gets its security groups, or does not."""
import json
import pathlib
import subprocess

import pytest
from conftest import BINARY

MANIFESTS = pathlib.Path(__file__).resolve().parents[1] / "data" / "manifests"

BRANCH_PATCH = (
    "    add /spec/containers/0/resources "
    '{"limits":{"vpc.amazonaws.com/pod-eni":"1"},"requests":{"vpc.amazonaws.com/pod-eni":"1"}}\n'
)
SHOP = f"""\
shop.yaml:20: StatefulSet shop/db (spec.template)
  labels: app=db
  service account: payments, labels: team=payments
  policies:
    matches         db: podSelector app=db
    matches         payments: serviceAccountSelector team in (payments, billing)
  security groups:
    sg-0aaaaaaaaaaaaaaa1, by db
    sg-0aaaaaaaaaaaaaaa2, by db, payments
    sg-0aaaaaaaaaaaaaaa3, by payments
  patch:
{BRANCH_PATCH}
shop.yaml:30: CronJob shop/bill (spec.jobTemplate.spec.template)
  labels: app=bill
  service account: payments, labels: team=payments
  policies:
    does not match  db: podSelector wants app=db
    matches         payments: serviceAccountSelector team in (payments, billing)
  security groups:
    sg-0aaaaaaaaaaaaaaa2, by payments
    sg-0aaaaaaaaaaaaaaa3, by payments
  patch: none, the pod requests vpc.amazonaws.com/pod-eni already

shop.yaml:45: Deployment shop/web (spec.template)
  labels: app=web
  service account: default, labels: none
  policies:
    does not match  db: podSelector wants app=db
    does not match  payments: serviceAccountSelector wants team in (payments, billing)
  security groups: none of its own
  patch: none, no policy selects the pod
"""
ACCOUNTS = f"""\
accounts.yaml:20: Pod pay/known
  labels: none
  service account: api, labels: team=pay
  policies:
    matches         team: serviceAccountSelector team=pay
    does not match  unlabelled: serviceAccountSelector wants !team
  security groups:
    sg-00000001, by team
  patch:
{BRANCH_PATCH}
accounts.yaml:25: Pod pay/older
  labels: none
  service account: api, labels: team=pay
  policies:
    matches         team: serviceAccountSelector team=pay
    does not match  unlabelled: serviceAccountSelector wants !team
  security groups:
    sg-00000001, by team
  patch:
{BRANCH_PATCH}
accounts.yaml:30: Pod pay/unknown
  labels: none
  service account: ghost, not in the manifests
  policies:
    unknown         team: service account ghost is not in the manifests
    unknown         unlabelled: service account ghost is not in the manifests
  security groups: none of its own
  patch: none, no policy is known to select the pod
  warn  spec.serviceAccountName: 'ghost' is not known, so policies team, unlabelled were left out [pod-account-unknown]

accounts.yaml:35: Pod pay/default
  labels: none
  service account: default, labels: none
  policies:
    does not match  team: serviceAccountSelector wants team=pay
    matches         unlabelled: serviceAccountSelector !team
  security groups:
    sg-00000002, by unlabelled
  patch:
{BRANCH_PATCH}"""
GROUPS = "  security groups:\n    sg-00000001, by web\n"
NO_GROUPS = "  security groups: none of its own\n"
# What pods.yaml's one policy comes to for each of its pods: from the groups on.
PODS = {
    "bare": GROUPS + "  patch:\n" + BRANCH_PATCH,
    "host": NO_GROUPS + "  patch: none, hostNetwork: the pod has its node's security groups\n"
    + "  warn  spec.hostNetwork: policy web has no effect, the pod uses its node's groups [pod-host-network]\n",
    "windows": NO_GROUPS + "  patch: none, a Windows pod has no security groups of its own\n"
    + "  warn  spec.os.name: policy web has no effect on a Windows pod [pod-windows]\n",
    "fargate": GROUPS + '  patch:\n    add /metadata/annotations {"fargate.amazonaws.com/pod-sg":"sg-00000001"}\n',
    "annotated": GROUPS
    + "  patch: none, a Fargate pod that has its annotation already, or Fargate pods are to be left alone\n",
    "ready": GROUPS + "  patch: none, the pod requests vpc.amazonaws.com/pod-eni already\n",
    "twice": GROUPS
    + '  patch:\n    replace /spec/containers/0/resources/limits/vpc.amazonaws.com~1pod-eni "1"\n'
    + '    add /spec/containers/0/resources/requests {"vpc.amazonaws.com/pod-eni":"1"}\n'
    + "  warn  spec.containers[0].resources: 2 branch interfaces requested, a pod gets 1 "
    + "[pod-branch-count]\n",
    "static": NO_GROUPS + "  patch: none, the copy of a static pod is left alone\n",
    "hollow": GROUPS + "  patch: none, the pod has no containers\n",
    "stranger": NO_GROUPS + "  patch: none, no policy selects the pod\n",
}


@pytest.fixture
def explain(sgp):
    """Runs `explain` where the manifests are, so that file names in its output are short."""

    def run(*args, stdin=None, cwd=MANIFESTS):
        return sgp("explain", *args, stdin=stdin, cwd=cwd)

    return run


def policy(name, selectors, groups="[sg-00000001]"):
    return (
        "apiVersion: vpcresources.k8s.aws/v1beta1\nkind: SecurityGroupPolicy\n"
        f"metadata: {{name: {name}, namespace: shop}}\nspec: {{{selectors}, securityGroups: {{groupIds: {groups}}}}}\n"
    )


def pod(spec="containers: [{name: c, image: b}]", labels="app: web, tier: front"):
    return (
        "apiVersion: v1\nkind: Pod\n"
        f"metadata: {{name: web, namespace: shop, labels: {{{labels}}}}}\nspec: {{{spec}}}\n"
    )


@pytest.mark.parametrize("file, output", [("shop.yaml", SHOP), ("accounts.yaml", ACCOUNTS)])
def test_text(explain, file, output):
    done = explain(file)
    assert (done.returncode, done.stdout, done.stderr) == (0, output, "")


@pytest.mark.parametrize("name", PODS)
def test_groups_and_patch(explain, name):
    done = explain("pods.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    explained = {text.split("\n")[0].split("/")[-1]: text for text in done.stdout.split("\n\n")}
    assert list(explained) == list(PODS)
    assert explained[name][explained[name].index("  security groups") :].rstrip("\n") == PODS[name].rstrip("\n")


@pytest.mark.parametrize(
    "selectors, groups, line",
    [
        ("podSelector: {matchLabels: {app: web}}", None, "matches         p: podSelector app=web"),
        ("podSelector: {}", None, "matches         p: podSelector {}, everything"),
        ("serviceAccountSelector: {}", None, "matches         p: serviceAccountSelector {}, everything"),
        (
            "podSelector: {matchExpressions: [{key: tier, operator: NotIn, values: [db, cache]}]}",
            None,
            "matches         p: podSelector tier notin (db, cache)",
        ),
        (
            "podSelector: {matchLabels: {app: web}, matchExpressions: [{key: tier, operator: In, values: [db]}]}",
            None,
            "does not match  p: podSelector wants tier=db",
        ),
        (
            "podSelector: {matchExpressions: [{key: app, operator: DoesNotExist}]}",
            None,
            "does not match  p: podSelector wants !app",
        ),
        (
            "podSelector: {matchLabels: {app: web}}, serviceAccountSelector: {}",
            None,
            "matches         p: podSelector app=web and serviceAccountSelector {}, everything",
        ),
        (
            "podSelector: {matchLabels: {app: db}}, serviceAccountSelector: {matchLabels: {team: x}}",
            None,
            "does not match  p: podSelector wants app=db",
        ),
        (
            "podSelector: {matchLabels: {app: web}}, serviceAccountSelector: {matchLabels: {team: x}}",
            None,
            "does not match  p: serviceAccountSelector wants team=x",
        ),
        ("podSelector: {matchLabels: {app: web}}", "[]", "ignored         p: it names no security groups"),
        (
            "podSelector: {matchExpressions: [{key: app, operator: Like}]}",
            None,
            "ignored         p: its podSelector is invalid",
        ),
        (
            "podSelector: null",
            None,
            "ignored         p: neither podSelector nor serviceAccountSelector is given",
        ),
    ],
)
def test_why_a_policy_matches_or_does_not(explain, selectors, groups, line):
    done = explain("-", stdin=policy("p", selectors, groups or "[sg-00000001]") + "---\n" + pod())
    assert done.returncode == 0
    assert done.stdout.splitlines()[3:5] == ["  policies:", "    " + line]


def test_unknown_account_matters_only_where_the_pod_is_selected(explain):
    both = "podSelector: {{matchLabels: {{app: {}}}}}, serviceAccountSelector: {{matchLabels: {{team: x}}}}"
    text = "---\n".join(
        [policy("a", both.format("db")), policy("b", both.format("web")), pod("serviceAccountName: ghost, containers: []")]
    )
    done = explain("-", stdin=text)
    assert done.stdout.splitlines()[2:6] == [
        "  service account: ghost, not in the manifests",
        "  policies:",
        "    does not match  a: podSelector wants app=db",
        "    unknown         b: service account ghost is not in the manifests",
    ]


def test_namespace_without_policies(explain):
    done = explain("-", "-n", "lone", stdin="apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: []}\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "-:1: Pod lone/x\n  labels: none\n  service account: default, labels: none\n"
        "  policies: none in namespace lone\n  security groups: none of its own\n"
        "  patch: none, no policy selects the pod\n"
    )


def test_policies_of_another_place(explain, tmp_path):
    (tmp_path / "pod.yaml").write_text(pod())
    (tmp_path / "known.yaml").write_text(policy("p", "podSelector: {}") + "---\n" + pod().replace("web,", "other,", 1))
    done = explain("--policies", "known.yaml", "pod.yaml", cwd=tmp_path)
    assert [line for line in done.stdout.splitlines() if not line.startswith(" ")] == ["pod.yaml:1: Pod shop/web"]
    assert "    matches         p: podSelector {}, everything\n" in done.stdout


def test_json(explain):
    done = explain("-o", "json", "shop.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 1
    database, bill, web = json.loads(done.stdout)["pods"]
    assert database == {
        "kind": "StatefulSet",
        "namespace": "shop",
        "name": "db",
        "file": "shop.yaml",
        "line": 20,
        "template": "spec.template",
        "serviceAccount": "payments",
        "policies": [
            {
                "name": "db",
                "verdict": "matches",
                "reason": "podSelector app=db",
                "groups": ["sg-0aaaaaaaaaaaaaaa1", "sg-0aaaaaaaaaaaaaaa2"],
            },
            {
                "name": "payments",
                "verdict": "matches",
                "reason": "serviceAccountSelector team in (payments, billing)",
                "groups": ["sg-0aaaaaaaaaaaaaaa2", "sg-0aaaaaaaaaaaaaaa3"],
            },
        ],
        "groups": [
            {"id": "sg-0aaaaaaaaaaaaaaa1", "policies": ["db"]},
            {"id": "sg-0aaaaaaaaaaaaaaa2", "policies": ["db", "payments"]},
            {"id": "sg-0aaaaaaaaaaaaaaa3", "policies": ["payments"]},
        ],
        "patch": [
            {
                "op": "add",
                "path": "/spec/containers/0/resources",
                "value": {
                    "limits": {"vpc.amazonaws.com/pod-eni": "1"},
                    "requests": {"vpc.amazonaws.com/pod-eni": "1"},
                },
            }
        ],
        "unpatched": "",
    }
    assert (bill["patch"], bill["unpatched"]) == ([], "the pod requests vpc.amazonaws.com/pod-eni already")
    assert [opinion["verdict"] for opinion in web["policies"]] == ["does not match", "does not match"]


def test_json_is_json_whatever_is_in_the_labels(explain):
    hostile = policy("'q\"\\\\'", "podSelector: {}", "['sg-\"<', \"sg-\\x1b\"]")
    explained = json.loads(explain("-o", "json", "-", stdin=hostile + "---\n" + pod()).stdout)["pods"][0]
    assert [group["id"] for group in explained["groups"]] == ['sg-"<', "sg-\x1b"]


def test_text_cannot_steer_the_terminal(explain):
    done = explain("-", stdin=policy("p", "podSelector: {}", '["sg-\\e[31m"]') + "---\n" + pod(labels='app: "\\e[31m\\n"'))
    assert "\033" not in done.stdout
    assert "  labels: app=\ufffd[31m\ufffd\n" in done.stdout
    assert "    sg-\ufffd[31m, by p\n" in done.stdout


@pytest.mark.parametrize(
    "args, output", [(["-"], ""), (["-o", "json", "-"], '{"pods":[]}\n'), (["--output=text", "-"], "")]
)
def test_nothing_to_explain(explain, args, output):
    done = explain(*args, stdin=policy("p", "podSelector: {}"))
    assert (done.returncode, done.stdout) == (0, output)
    assert done.stderr == "sgp-webhook: note: no pod or workload to explain\n"


@pytest.mark.parametrize(
    "args, message",
    [
        ([], "no manifests: name files or directories, or - for standard input"),
        (["missing.yaml"], "missing.yaml: cannot be read: No such file or directory"),
        (["-o", "junit", "shop.yaml"], "--output: 'junit' is not text or json"),
        (["--fail-on", "warn", "shop.yaml"], "--fail-on: no such option; see sgp-webhook explain --help"),
    ],
)
def test_unusable_command_lines(explain, args, message):
    done = explain(*args)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"sgp-webhook: {message}\n")


def test_unusable_manifest(explain):
    done = explain("-", stdin=pod("containers: 7"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "sgp-webhook: -:4:20: spec.containers: a number where a list belongs\n"


def test_output_that_cannot_be_written():
    with open("/dev/full", "wb") as full:
        done = subprocess.run([BINARY, "explain", "shop.yaml"], cwd=MANIFESTS, stdout=full, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (2, b"sgp-webhook: standard output: No space left on device\n")
