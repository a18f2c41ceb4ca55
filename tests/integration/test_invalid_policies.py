"""Invalid SecurityGroupPolicies: each is refused or warned of by exactly these checks, at exactly these fields."""
import copy
import json

import pytest

ENDPOINT = "/validate-v1beta1-securitygrouppolicy"
SG = "sg-0123456789abcdef0"
POD = "spec.podSelector"
ACCOUNT = "spec.serviceAccountSelector"
IDS = "spec.securityGroups.groupIds"


def ids(count):
    return [f"sg-0123456789abcde{i:02x}" for i in range(count)]


def spec(pod=None, account=None, groups=(SG,)):
    made = {"securityGroups": {"groupIds": list(groups)}}
    if pod is not None:
        made["podSelector"] = pod
    if account is not None:
        made["serviceAccountSelector"] = account
    return made


def expression(**requirement):
    return {"matchExpressions": [requirement]}


def invalid_at(path):
    return [("deny", "policy-selector-invalid", path)]


WEB = {"matchLabels": {"app": "web"}}
LONG = "x" * 64

# name, spec, findings in order, a part of the first finding's message
ROWS = [
    # selectors given
    ("no selector", spec(), [("deny", "policy-selector-missing", "spec")], "give podSelector or serviceAccountSelector"),
    ("null selectors", {**spec(), "podSelector": None, "serviceAccountSelector": None},
     [("deny", "policy-selector-missing", "spec")], "selects nothing"),
    ("both selectors", spec(WEB, WEB), [("deny", "policy-selector-both", "spec")], "keep one"),
    ("both selectors, both empty", spec({}, {}),
     [("deny", "policy-selector-both", "spec"), ("warn", "policy-selects-all", POD)], "keep one"),
    ("both selectors, one empty", spec({}, WEB), [("deny", "policy-selector-both", "spec")], "keep one"),
    ("empty pod selector", spec({}), [("warn", "policy-selects-all", POD)], "every pod of the namespace"),
    ("empty account selector", spec(None, {}), [("warn", "policy-selects-all", ACCOUNT)], "every pod"),
    ("selector with empty maps", spec({"matchLabels": {}, "matchExpressions": []}), [("warn", "policy-selects-all", POD)],
     "is empty"),
    ("selector with null maps", spec({"matchLabels": None, "matchExpressions": None}), [("warn", "policy-selects-all", POD)],
     "is empty"),
    ("empty spec", {}, [("deny", "policy-selector-missing", "spec"), ("deny", "policy-group-count", IDS)], "selects nothing"),
    # label keys
    ("empty label key", spec({"matchLabels": {"": "x"}}), invalid_at(f"{POD}.matchLabels[]"), "is no label key"),
    ("label key with a space", spec({"matchLabels": {"a b": "x"}}), invalid_at(f"{POD}.matchLabels[a b]"), "no label key"),
    ("label key of 64", spec({"matchLabels": {LONG: "x"}}), invalid_at(f"{POD}.matchLabels[{LONG}]"), "no label key"),
    ("label key with trailing dash", spec({"matchLabels": {"app-": "x"}}), invalid_at(f"{POD}.matchLabels[app-]"), "no label"),
    ("label key with leading dot", spec({"matchLabels": {".app": "x"}}), invalid_at(f"{POD}.matchLabels[.app]"), "no label"),
    ("label key with two slashes", spec({"matchLabels": {"a/b/c": "x"}}), invalid_at(f"{POD}.matchLabels[a/b/c]"), "no label"),
    ("label key with empty prefix", spec({"matchLabels": {"/app": "x"}}), invalid_at(f"{POD}.matchLabels[/app]"), "no label"),
    ("label key with empty name", spec({"matchLabels": {"example.com/": "x"}}), invalid_at(f"{POD}.matchLabels[example.com/]"),
     "no label key"),
    ("label key with upper-case prefix", spec({"matchLabels": {"Example.com/app": "x"}}),
     invalid_at(f"{POD}.matchLabels[Example.com/app]"), "no label key"),
    ("label key with underscore in prefix", spec({"matchLabels": {"a_b/app": "x"}}), invalid_at(f"{POD}.matchLabels[a_b/app]"),
     "no label key"),
    ("label key with two dots in prefix", spec({"matchLabels": {"a..b/app": "x"}}), invalid_at(f"{POD}.matchLabels[a..b/app]"),
     "no label key"),
    ("label key with a prefix of 254", spec({"matchLabels": {"a" * 254 + "/app": "x"}}),
     invalid_at(f"{POD}.matchLabels[{'a' * 254}/app]"), "no label key"),
    ("label key that is not ASCII", spec({"matchLabels": {"größe": "x"}}), invalid_at(f"{POD}.matchLabels[größe]"), "no label"),
    # label values
    ("label value with a space", spec({"matchLabels": {"app": "a b"}}), invalid_at(f"{POD}.matchLabels[app]"),
     "'a b' is no label value"),
    ("label value of 64", spec({"matchLabels": {"app": LONG}}), invalid_at(f"{POD}.matchLabels[app]"), "no label value"),
    ("label value with a slash", spec({"matchLabels": {"app": "a/b"}}), invalid_at(f"{POD}.matchLabels[app]"), "no label value"),
    ("label value with leading dash", spec({"matchLabels": {"app": "-a"}}), invalid_at(f"{POD}.matchLabels[app]"), "no label"),
    ("label value with trailing dot", spec({"matchLabels": {"app": "a."}}), invalid_at(f"{POD}.matchLabels[app]"), "no label"),
    ("label value that is not ASCII", spec({"matchLabels": {"app": "é"}}), invalid_at(f"{POD}.matchLabels[app]"), "no label"),
    ("label value with a line break", spec({"matchLabels": {"app": "a\nb"}}), invalid_at(f"{POD}.matchLabels[app]"), "no label"),
    ("key and value", spec({"matchLabels": {"a b": "c d"}}), invalid_at(f"{POD}.matchLabels[a b]") * 2, "is no label key"),
    ("account label value", spec(None, {"matchLabels": {"app": "a b"}}), invalid_at(f"{ACCOUNT}.matchLabels[app]"), "no label"),
    # expressions
    ("unknown operator", spec(expression(key="app", operator="Equals", values=["x"])),
     invalid_at(f"{POD}.matchExpressions[0].operator"), "'Equals' is no operator; use In, NotIn, Exists or DoesNotExist"),
    ("operator in lower case", spec(expression(key="app", operator="in", values=["x"])),
     invalid_at(f"{POD}.matchExpressions[0].operator"), "'in' is no operator"),
    ("operator of node selectors", spec(expression(key="app", operator="Gt", values=["1"])),
     invalid_at(f"{POD}.matchExpressions[0].operator"), "'Gt' is no operator"),
    ("operator missing", spec(expression(key="app", values=["x"])), invalid_at(f"{POD}.matchExpressions[0].operator"),
     "'' is no operator"),
    ("key missing", spec(expression(operator="Exists")), invalid_at(f"{POD}.matchExpressions[0].key"), "'' is no label key"),
    ("key invalid", spec(expression(key="a b", operator="Exists")), invalid_at(f"{POD}.matchExpressions[0].key"), "'a b' is no"),
    ("In without values", spec(expression(key="app", operator="In")), invalid_at(f"{POD}.matchExpressions[0].values"),
     "In needs at least one value"),
    ("In with empty values", spec(expression(key="app", operator="In", values=[])),
     invalid_at(f"{POD}.matchExpressions[0].values"), "missing"),
    ("NotIn without values", spec(expression(key="app", operator="NotIn")), invalid_at(f"{POD}.matchExpressions[0].values"),
     "NotIn needs at least one value"),
    ("Exists with values", spec(expression(key="app", operator="Exists", values=["x"])),
     invalid_at(f"{POD}.matchExpressions[0].values"), "superfluous; Exists takes no values"),
    ("DoesNotExist with values", spec(expression(key="app", operator="DoesNotExist", values=["x"])),
     invalid_at(f"{POD}.matchExpressions[0].values"), "DoesNotExist takes no values"),
    ("In with an invalid value", spec(expression(key="app", operator="In", values=["ok", "not ok"])),
     invalid_at(f"{POD}.matchExpressions[0].values[1]"), "'not ok' is no label value"),
    ("second expression", spec({"matchExpressions": [{"key": "app", "operator": "Exists"}, {"key": "app", "operator": "Is"}]}),
     invalid_at(f"{POD}.matchExpressions[1].operator"), "'Is' is no operator"),
    ("empty expression", spec({"matchExpressions": [{}]}),
     invalid_at(f"{POD}.matchExpressions[0].key") + invalid_at(f"{POD}.matchExpressions[0].operator"), "no label key"),
    ("null expression", spec({"matchExpressions": [None]}),
     invalid_at(f"{POD}.matchExpressions[0].key") + invalid_at(f"{POD}.matchExpressions[0].operator"), "no label key"),
    ("account expression", spec(None, expression(key="team", operator="In")),
     invalid_at(f"{ACCOUNT}.matchExpressions[0].values"), "at least one value"),
    ("both selectors invalid", spec(expression(key="a", operator="X"), expression(key="a", operator="Y")),
     [("deny", "policy-selector-both", "spec"), *invalid_at(f"{POD}.matchExpressions[0].operator"),
      *invalid_at(f"{ACCOUNT}.matchExpressions[0].operator")], "keep one"),
    # groups
    ("no groups", spec(WEB, groups=[]), [("deny", "policy-group-count", IDS)], "0 security groups, 1 to 5 are allowed"),
    ("groups missing", {"podSelector": WEB}, [("deny", "policy-group-count", IDS)], "0 security groups"),
    ("groups null", {"podSelector": WEB, "securityGroups": None}, [("deny", "policy-group-count", IDS)], "0 security groups"),
    ("ids null", {"podSelector": WEB, "securityGroups": {"groupIds": None}}, [("deny", "policy-group-count", IDS)], "0 security"),
    ("six groups", spec(WEB, groups=ids(6)), [("deny", "policy-group-count", IDS)], "6 security groups, 1 to 5 are allowed"),
    ("a hundred groups", spec(WEB, groups=ids(100)), [("deny", "policy-group-count", IDS)], "100 security groups"),
    ("empty id", spec(WEB, groups=[""]), [("deny", "policy-group-id", f"{IDS}[0]")], "'' is not sg- and 8 or 17 hex digits"),
    ("null id", spec(WEB, groups=[None]), [("deny", "policy-group-id", f"{IDS}[0]")], "'' is not sg-"),
    ("name instead of id", spec(WEB, groups=["web-servers"]), [("deny", "policy-group-id", f"{IDS}[0]")], "'web-servers' is not"),
    ("id without digits", spec(WEB, groups=["sg-"]), [("deny", "policy-group-id", f"{IDS}[0]")], "'sg-' is not"),
    ("id with a space", spec(WEB, groups=["sg-0123456 "]), [("deny", "policy-group-id", f"{IDS}[0]")], "is not sg-"),
    ("id with an upper-case prefix", spec(WEB, groups=["SG-01234567"]), [("deny", "policy-group-id", f"{IDS}[0]")], "is not sg-"),
    ("id of an interface", spec(WEB, groups=["eni-01234567"]), [("deny", "policy-group-id", f"{IDS}[0]")], "'eni-01234567'"),
    ("id as an ARN", spec(WEB, groups=["arn:aws:ec2:us-west-2:1:security-group/sg-01234567"]),
     [("deny", "policy-group-id", f"{IDS}[0]")], "is not sg-"),
    ("two ids in one", spec(WEB, groups=["sg-01234567,sg-89abcdef"]), [("deny", "policy-group-id", f"{IDS}[0]")], "is not sg-"),
    ("the guide's placeholder", spec(WEB, groups=["sg-abc123"]), [("warn", "policy-group-id", f"{IDS}[0]")], "'sg-abc123' is not"),
    ("id of 9 digits", spec(WEB, groups=["sg-012345678"]), [("warn", "policy-group-id", f"{IDS}[0]")], "is not sg-"),
    ("id with upper-case digits", spec(WEB, groups=["sg-0123ABCD"]), [("warn", "policy-group-id", f"{IDS}[0]")], "is not sg-"),
    ("second id", spec(WEB, groups=[SG, "nonsense"]), [("deny", "policy-group-id", f"{IDS}[1]")], "'nonsense' is not"),
    ("duplicate id", spec(WEB, groups=[SG, SG]), [("warn", "policy-group-duplicate", f"{IDS}[1]")], "stands there already"),
    ("duplicate far apart", spec(WEB, groups=[SG, "sg-01234567", SG]), [("warn", "policy-group-duplicate", f"{IDS}[2]")],
     f"{SG} stands there already"),
    ("everything wrong", spec(expression(key="", operator="?"), WEB, ["x", "x", *ids(4)]),
     [("deny", "policy-selector-both", "spec"), *invalid_at(f"{POD}.matchExpressions[0].key"),
      *invalid_at(f"{POD}.matchExpressions[0].operator"), ("deny", "policy-group-count", IDS),
      ("deny", "policy-group-id", f"{IDS}[0]"), ("deny", "policy-group-id", f"{IDS}[1]"),
      ("warn", "policy-group-duplicate", f"{IDS}[1]")], "keep one"),
]

VALID = [
    ("labels", spec(WEB)),
    ("expressions", spec({"matchExpressions": [{"key": "a", "operator": "In", "values": ["x", ""]},
                                               {"key": "b", "operator": "NotIn", "values": ["y"]},
                                               {"key": "c", "operator": "Exists"},
                                               {"key": "d", "operator": "DoesNotExist", "values": []}]})),
    ("account", spec(None, WEB)),
    ("five groups", spec(WEB, groups=ids(5))),
    ("short id", spec(WEB, groups=["sg-01234567"])),
    ("long keys and values", spec({"matchLabels": {"a" * 253 + "/" + "n" * 63: "v" * 63, "empty": "", "A.b_c-9": "A.b_c-9"}})),
]


def review(policy_spec, old=None, operation="CREATE"):
    def policy(of):
        return {"apiVersion": "vpcresources.k8s.aws/v1beta1", "kind": "SecurityGroupPolicy",
                "metadata": {"name": "p", "namespace": "elsewhere"}, "spec": of}

    return {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": {
        "uid": "u-1", "kind": {"group": "vpcresources.k8s.aws", "version": "v1beta1", "kind": "SecurityGroupPolicy"},
        "resource": {"group": "vpcresources.k8s.aws", "version": "v1beta1", "resource": "securitygrouppolicies"},
        "name": "p", "namespace": "elsewhere", "operation": operation, "userInfo": {"username": "admin"},
        "object": policy(policy_spec) if policy_spec is not None else None,
        "oldObject": policy(old) if old is not None else None, "dryRun": False}}


def findings(response):
    """(action, check) of all, from the audit annotation, which is in order."""
    text = response.get("auditAnnotations", {}).get("findings", "")
    return [tuple(reversed(item.split("="))) for item in text.split(",") if item]


def assert_row(response, expected, message):
    denials = [(check, field) for action, check, field in expected if action == "deny"]
    assert findings(response) == [(action, check) for action, check, _ in expected]
    assert response["allowed"] == (not denials)
    warnings = response.get("warnings", [])
    for action, check, field in expected:
        if action == "warn":
            assert any(line.startswith(f"{field}: ") and line.endswith(f"[{check}]") for line in warnings), warnings
    assert all(len(line.encode()) <= 120 for line in warnings)
    if not denials:
        assert "status" not in response
        return any(message in line for line in warnings)
    status = response["status"]
    causes = status["details"]["causes"]
    assert [(cause["reason"], cause["field"]) for cause in causes] == denials
    assert (status["code"], status["reason"], status["status"]) == (403, "Forbidden", "Failure")
    assert status["message"].startswith(f"{denials[0][1]}: ") and status["message"].endswith(f"[{denials[0][0]}]")
    assert status["details"]["name"] == "p" and status["details"]["kind"] == "SecurityGroupPolicy"
    return message in causes[0]["message"]


def test_there_are_enough_rows():
    assert len(ROWS) >= 60 and len({row[0] for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("policy_spec, expected, message", [pytest.param(*row[1:], id=row[0]) for row in ROWS])
def test_invalid_policy(server, policy_spec, expected, message):
    response = server.review(ENDPOINT, review(policy_spec))
    assert response["uid"] == "u-1"
    assert assert_row(response, expected, message), response


@pytest.mark.parametrize("policy_spec", [pytest.param(row[1], id=row[0]) for row in VALID])
def test_valid_policy(server, policy_spec):
    assert server.review(ENDPOINT, review(policy_spec)) == {"uid": "u-1", "allowed": True, "auditAnnotations": {
        "security-groups": ",".join(policy_spec["securityGroups"]["groupIds"])}}


@pytest.mark.parametrize("policy_spec", [pytest.param(row[1], id=row[0]) for row in ROWS])
def test_update_is_not_refused_for_what_was_stored(server, policy_spec):
    changed = review(policy_spec, old=policy_spec, operation="UPDATE")
    changed["request"]["object"]["metadata"]["labels"] = {"changed": "yes"}
    response = server.review(ENDPOINT, changed)
    assert response["allowed"] is True
    assert {action for action, _ in findings(response)} == {"warn"}


def test_update_is_refused_for_what_got_worse(server):
    response = server.review(ENDPOINT, review(spec(WEB, groups=ids(7)), spec(WEB, groups=ids(6)), "UPDATE"))
    assert not response["allowed"]
    assert response["status"]["details"]["causes"] == [
        {"reason": "policy-group-count", "message": "7 security groups, 1 to 5 are allowed", "field": IDS}]


@pytest.mark.parametrize("old, new, warned", [
    (spec(WEB), spec(WEB), False),
    (spec(WEB), spec(WEB, groups=["sg-01234567"]), True),
    (spec(WEB), spec({"matchLabels": {"app": "db"}}), True),
    (spec(WEB), spec(None, WEB), True),
    (spec(expression(key="a", operator="Exists")), spec(expression(key="a", operator="DoesNotExist")), True),
    (spec(expression(key="a", operator="In", values=["x"])), spec(expression(key="a", operator="In", values=["x", "y"])), True),
    (spec(WEB), None, True),
])
def test_changes_do_not_reach_running_pods(server, old, new, warned):
    operation = "UPDATE" if new else "DELETE"
    response = server.review(ENDPOINT, review(new, old, operation))
    assert response["allowed"] is True
    assert response.get("warnings", []) == ([
        "spec: running pods keep their security groups until they are recreated [policy-not-retroactive]",
        "kubectl rollout restart deployment,statefulset,daemonset -n elsewhere"] if warned else [])


@pytest.mark.parametrize("path, value, where", [
    (("spec", "podSelector"), [], "request.object.spec.podSelector: a list where an object belongs"),
    (("spec", "podSelector"), "app=web", "request.object.spec.podSelector: a string where an object belongs"),
    (("spec", "podSelector", "matchLabels", "app"), 5,
     "request.object.spec.podSelector.matchLabels[app]: a number where a string belongs"),
    (("spec", "podSelector", "matchLabels", "app"), True,
     "request.object.spec.podSelector.matchLabels[app]: a boolean where a string belongs"),
    (("spec", "podSelector", "matchExpressions"), {}, "request.object.spec.podSelector.matchExpressions: an object where a list"),
    (("spec", "podSelector", "matchExpressions"), [1], "matchExpressions[0]: a number where an object belongs"),
    (("spec", "securityGroups"), ["sg-1"], "request.object.spec.securityGroups: a list where an object belongs"),
    (("spec", "securityGroups", "groupIds"), "sg-1", "groupIds: a string where a list belongs"),
    (("spec", "securityGroups", "groupIds"), [7], "groupIds[0]: a number where a string belongs"),
    (("spec",), 1, "request.object.spec: a number where an object belongs"),
    (("metadata",), [], "request.object.metadata: a list where an object belongs"),
])
def test_policy_that_cannot_be_decoded(server, path, value, where):
    body = copy.deepcopy(review(spec({"matchLabels": {"app": "web"}})))
    target = body["request"]["object"]
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    response = server.review(ENDPOINT, json.dumps(body))
    assert response["allowed"] is False and response["uid"] == "u-1"
    assert (response["status"]["code"], response["status"]["reason"]) == (400, "BadRequest")
    assert where in response["status"]["message"]
