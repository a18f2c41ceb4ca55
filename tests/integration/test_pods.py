"""Pods and workloads: what the mutation makes of them, and which checks they meet, through the running server."""
import base64
import copy
import json

import pytest

from conftest import DATA, Server

RESOURCE = "vpc.amazonaws.com/pod-eni"
FARGATE = "fargate.amazonaws.com/pod-sg"
ONE = {RESOURCE: "1"}
HAS_ONE = {"limits": ONE, "requests": ONE}
CONTROLLER = "eks:vpc-resource-controller"


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("shop"), "--policies", DATA / "cluster.yaml")
    yield running
    assert running.stop() == 0


def pod(labels=None, annotations=None, resources=None, containers=None, **spec):
    made = {"metadata": {"name": "p", "labels": labels if labels is not None else {"app": "web"}},
            "spec": {"containers": containers if containers is not None else [{"name": "c", "image": "i"}], **spec}}
    if annotations is not None:
        made["metadata"]["annotations"] = annotations
    if resources is not None:
        made["spec"]["containers"][0]["resources"] = resources
    return made


def review(new, old=None, operation=None, namespace="shop", user="admin", kind=("", "Pod"), **request):
    return {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": {
        "uid": "u", "kind": {"group": kind[0], "version": "v1", "kind": kind[1]}, "name": "p", "namespace": namespace,
        "operation": operation or ("UPDATE" if old else "CREATE"), "userInfo": {"username": user},
        "object": new, "oldObject": old, **request}}


def patch_of(response):
    return json.loads(base64.b64decode(response["patch"])) if "patch" in response else []


def apply(document, patch):
    """RFC 6902, as far as the patches go; "add" needs its parent, "replace" and "remove" their target."""
    document = copy.deepcopy(document)
    for operation in patch:
        *parents, last = [key.replace("~1", "/").replace("~0", "~") for key in operation["path"].split("/")[1:]]
        target = document
        for key in parents:
            target = target[int(key) if isinstance(target, list) else key]
        assert operation["op"] == "add" or last in target
        if operation["op"] == "remove":
            del target[last]
        else:
            target[last] = operation["value"]
    return document


LIMITS, REQUESTS = "/spec/containers/0/resources/limits", "/spec/containers/0/resources/requests"
KEY = "/vpc.amazonaws.com~1pod-eni"


def add(path, value):
    return {"op": "add", "path": path, "value": value}


@pytest.mark.parametrize("resources, patch", [
    (None, [add("/spec/containers/0/resources", HAS_ONE)]),
    ({}, [add(LIMITS, ONE), add(REQUESTS, ONE)]),
    ({"limits": None, "requests": None}, [add(LIMITS, ONE), add(REQUESTS, ONE)]),
    ({"limits": {}, "requests": {}}, [add(LIMITS + KEY, "1"), add(REQUESTS + KEY, "1")]),
    ({"limits": {"cpu": "1"}}, [add(LIMITS + KEY, "1"), add(REQUESTS, ONE)]),
    ({"requests": {"cpu": "1"}}, [add(LIMITS, ONE), add(REQUESTS + KEY, "1")]),
    ({"limits": ONE}, [add(REQUESTS, ONE)]),
    ({"requests": ONE}, [add(LIMITS, ONE)]),
    ({"limits": ONE, "requests": {"cpu": "1"}}, [add(REQUESTS + KEY, "1")]),
    (HAS_ONE, []),
    ({"limits": {RESOURCE: 1}, "requests": {RESOURCE: 1}}, []),
])
def test_patch_is_minimal_and_idempotent(shop, resources, patch):
    before = pod(resources=resources)
    response = shop.review("/mutate-v1-pod", review(before))
    assert patch_of(response) == patch and response["allowed"] is True and "warnings" not in response
    assert response["auditAnnotations"] == {"security-groups": "sg-00000002,sg-00000003,sg-00000001",
                                            "policies": "also-web,web"}
    after = apply(before, patch)
    assert after["spec"]["containers"][0]["resources"]["limits"][RESOURCE] in ("1", 1)
    assert "patch" not in shop.review("/mutate-v1-pod", review(after))
    assert shop.review("/validate-v1-pod", review(after))["allowed"] is True


def test_explicit_null_resources_are_replaced(shop):
    before = pod()
    before["spec"]["containers"][0]["resources"] = None
    patch = patch_of(shop.review("/mutate-v1-pod", review(before)))
    assert apply(before, patch)["spec"]["containers"][0]["resources"] == HAS_ONE


@pytest.mark.parametrize("resources, patch, warning", [
    ({"limits": {RESOURCE: "2"}, "requests": {RESOURCE: "2"}},
     [{"op": "replace", "path": LIMITS + KEY, "value": "1"}, {"op": "replace", "path": REQUESTS + KEY, "value": "1"}],
     "spec.containers[0].resources: 2 branch interfaces requested, a pod gets 1 [pod-branch-count]"),
    ({"limits": {RESOURCE: "0"}, "requests": {RESOURCE: "0"}},
     [{"op": "replace", "path": LIMITS + KEY, "value": "1"}, {"op": "replace", "path": REQUESTS + KEY, "value": "1"}],
     "spec.containers[0].resources: 0 branch interfaces requested, a pod gets 1 [pod-branch-count]"),
])
def test_another_count_is_replaced_and_warned_of(shop, resources, patch, warning):
    response = shop.review("/mutate-v1-pod", review(pod(resources=resources)))
    assert patch_of(response) == patch and response["warnings"] == [warning]


def test_second_container_that_requests_it_is_enough(shop):
    before = pod(containers=[{"name": "a"}, {"name": "b", "resources": HAS_ONE}])
    assert "patch" not in shop.review("/mutate-v1-pod", review(before))
    assert shop.review("/validate-v1-pod", review(before))["allowed"] is True


def test_init_container_is_not_counted(shop):
    before = pod(initContainers=[{"name": "i", "resources": HAS_ONE}])
    assert patch_of(shop.review("/mutate-v1-pod", review(before))) == [add("/spec/containers/0/resources", HAS_ONE)]
    assert not shop.review("/validate-v1-pod", review(before))["allowed"]


@pytest.mark.parametrize("containers", [[], None])
def test_pod_without_containers_is_left_to_the_api_server(shop, containers):
    body = pod()
    body["spec"]["containers"] = containers
    response = shop.review("/mutate-v1-pod", review(body))
    assert response["allowed"] is True and "patch" not in response
    assert shop.review("/validate-v1-pod", review(body))["allowed"] in (True, False)


@pytest.mark.parametrize("body, policies, groups", [
    (pod(), "also-web,web", "sg-00000002,sg-00000003,sg-00000001"),
    (pod({"app": "db"}), "also-web", "sg-00000002,sg-00000003"),
    (pod({"app": "web", "old": ""}), "web", "sg-00000001,sg-00000002"),
    (pod({"app": "other"}, serviceAccountName="payer"), "by-account", "sg-00000021"),
    (pod({"app": "other"}, serviceAccount="payer"), "by-account", "sg-00000021"),
    (pod({"app": "payer"}, serviceAccountName="payer"), "both,by-account", "sg-00000031,sg-00000021"),
    (pod({"app": "payer"}), None, None),
    (pod({"app": "other"}), None, None),
    (pod({}), None, None),
    ({"spec": {"containers": [{"name": "c"}]}}, None, None),
    ({"metadata": None, "spec": {"containers": [{"name": "c"}]}}, None, None),
])
def test_selection(shop, body, policies, groups):
    audit = shop.review("/mutate-v1-pod", review(body)).get("auditAnnotations", {})
    assert (audit.get("policies"), audit.get("security-groups")) == (policies, groups)


@pytest.mark.parametrize("request_change", [
    {"namespace": "elsewhere"}, {"operation": "UPDATE", "old": pod()}, {"operation": "DELETE"}, {"kind": ("apps", "Deployment")},
    {"subResource": "binding"},
])
def test_what_is_never_patched(shop, request_change):
    response = shop.review("/mutate-v1-pod", review(pod(), **request_change))
    assert response["allowed"] is True and "patch" not in response


def test_mirror_pods_are_left_alone(shop):
    mirror = pod(annotations={"kubernetes.io/config.mirror": "x", RESOURCE: "y"})
    for path in ("/mutate-v1-pod", "/validate-v1-pod"):
        assert shop.review(path, review(mirror)) == {"uid": "u", "allowed": True}


def test_a_pod_does_not_become_a_mirror_pod_to_slip_through(shop):
    changed = pod(annotations={"kubernetes.io/config.mirror": "x", RESOURCE: "y"})
    assert not shop.review("/validate-v1-pod", review(changed, pod()))["allowed"]


FARGATE_LABELS = {"app": "web", "eks.amazonaws.com/fargate-profile": "fp"}
UNION = "sg-00000002,sg-00000003,sg-00000001"


@pytest.mark.parametrize("labels, annotations, patch", [
    (FARGATE_LABELS, None, [add("/metadata/annotations", {FARGATE: UNION})]),
    (FARGATE_LABELS, {"a": "b"}, [add("/metadata/annotations/fargate.amazonaws.com~1pod-sg", UNION)]),
    (FARGATE_LABELS, {FARGATE: "sg-mine"},
     [{"op": "replace", "path": "/metadata/annotations/fargate.amazonaws.com~1pod-sg", "value": UNION}]),
    (FARGATE_LABELS, {FARGATE: ""},
     [{"op": "replace", "path": "/metadata/annotations/fargate.amazonaws.com~1pod-sg", "value": UNION}]),
    (FARGATE_LABELS, {FARGATE: UNION}, []),
    # EKS's own webhook has no fixed order: the same groups are the same
    (FARGATE_LABELS, {FARGATE: "sg-00000001,sg-00000002,sg-00000003"}, []),
    (FARGATE_LABELS, {FARGATE: "sg-00000001,sg-00000002,sg-00000002"},
     [{"op": "replace", "path": "/metadata/annotations/fargate.amazonaws.com~1pod-sg", "value": UNION}]),
    ({"eks.amazonaws.com/fargate-profile": "fp"}, {FARGATE: "sg-mine"},
     [{"op": "remove", "path": "/metadata/annotations/fargate.amazonaws.com~1pod-sg"}]),
    ({"eks.amazonaws.com/fargate-profile": "fp"}, None, []),
])
def test_fargate_annotation(shop, labels, annotations, patch):
    before = pod(labels, annotations)
    assert patch_of(shop.review("/mutate-v1-pod", review(before))) == patch
    after = apply(before, patch)
    assert "patch" not in shop.review("/mutate-v1-pod", review(after))
    assert shop.review("/validate-v1-pod", review(after))["allowed"] is True
    assert shop.review("/validate-v1-pod", review(before))["allowed"] is (not patch)


# what is created, the checks that deny it, the warnings as they are printed
CREATED = [
    ("final pod", pod(resources=HAS_ONE), [], []),
    ("lost its resource", pod(), ["pod-branch-missing"], []),
    ("not selected, not asked", pod({}), [], []),
    ("asked, not selected", pod({}, resources=HAS_ONE), [],
     ["spec.containers[0].resources: requests a branch interface, but no policy selects the pod [pod-branch-unselected]"]),
    ("too many groups", pod({"app": "web", "size": "xl"}, resources=HAS_ONE), ["pod-group-count"], []),
    ("unknown account", pod({"app": "other"}, serviceAccountName="nobody"), [],
     ["spec.serviceAccountName: 'nobody' is not known, so policy by-account was left out [pod-account-unknown]"]),
    ("host network", pod(hostNetwork=True), [],
     ["spec.hostNetwork: policies also-web, web have no effect, the pod uses its node's groups [pod-host-network]"]),
    ("windows by label", pod(nodeSelector={"kubernetes.io/os": "windows"}), [], ["[pod-windows]"]),
    ("windows by old label", pod(nodeSelector={"beta.kubernetes.io/os": "windows"}), [], ["[pod-windows]"]),
    ("windows by os", pod(os={"name": "windows"}), [], ["[pod-windows]"]),
    ("linux", pod(os={"name": "linux"}, resources=HAS_ONE, nodeSelector={"kubernetes.io/os": "linux"}), [], []),
    ("t3", pod(resources=HAS_ONE, nodeSelector={"node.kubernetes.io/instance-type": "t3.large"}), [], ["[pod-instance-type]"]),
    ("t3 by old label", pod(resources=HAS_ONE, nodeSelector={"beta.kubernetes.io/instance-type": "t3.large"}), [],
     ["[pod-instance-type]"]),
    ("m5", pod(resources=HAS_ONE, nodeSelector={"node.kubernetes.io/instance-type": "m5.large"}), [], []),
    ("type newer than the table", pod(resources=HAS_ONE, nodeSelector={"node.kubernetes.io/instance-type": "x99.large"}), [], []),
    ("grace period 0", pod(resources=HAS_ONE, terminationGracePeriodSeconds=0), [],
     ["spec.terminationGracePeriodSeconds: 0 may leak the branch interface; use 1 or more [pod-grace-period]"]),
    ("grace period 30", pod(resources=HAS_ONE, terminationGracePeriodSeconds=30), [], []),
    ("NodeLocal DNSCache", pod(resources=HAS_ONE, dnsConfig={"nameservers": ["10.0.0.2", "169.254.20.10"]}), [],
     ["spec.dnsConfig.nameservers[1]: 169.254.20.10 (NodeLocal DNSCache) is out of reach in strict mode [pod-link-local]"]),
    ("Pod Identity by label", pod({"app": "web", "eks.amazonaws.com/pod-identity": "enabled"}, resources=HAS_ONE), [],
     ["[pod-link-local]"]),
    ("ambient", pod({"app": "web", "istio.io/dataplane-mode": "ambient"}, resources=HAS_ONE), [], ["[pod-link-local]"]),
    ("not selected: no warnings", pod({}, hostNetwork=True, terminationGracePeriodSeconds=0,
                                      nodeSelector={"node.kubernetes.io/instance-type": "t3.large"}), [], []),
    ("branch annotation", pod(annotations={RESOURCE: "[]"}, resources=HAS_ONE), ["pod-annotation"], []),
    ("empty branch annotation", pod(annotations={RESOURCE: ""}, resources=HAS_ONE), ["pod-annotation"], []),
    ("Fargate annotation on another pod", pod(annotations={FARGATE: "sg-1"}, resources=HAS_ONE), ["pod-annotation"], []),
    ("Fargate without annotation", pod(FARGATE_LABELS), ["pod-annotation"], []),
    ("two reasons", pod({"app": "web", "size": "xl"}, annotations={RESOURCE: "x"}), ["pod-annotation", "pod-group-count",
                                                                                  "pod-branch-missing"], []),
]


@pytest.mark.parametrize("body, denied, warnings", [pytest.param(*row[1:], id=row[0]) for row in CREATED])
def test_created_pod(shop, body, denied, warnings):
    response = shop.review("/validate-v1-pod", review(body))
    causes = response.get("status", {}).get("details", {}).get("causes", [])
    assert [cause["reason"] for cause in causes] == denied
    assert response["allowed"] is (not denied)
    printed = response.get("warnings", [])
    assert len(printed) == len(warnings) and all(len(line.encode()) <= 120 for line in printed)
    assert all(line.endswith(end) for line, end in zip(printed, warnings)), printed


def affinity(*terms):
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
        "nodeSelectorTerms": [{"matchExpressions": list(term)} for term in terms]}}}


def types(*values, operator="In", key="node.kubernetes.io/instance-type"):
    return {"key": key, "operator": operator, "values": list(values)}


@pytest.mark.parametrize("terms, warned", [
    ([[types("t3.large")]], True),
    ([[types("t3.large", "t2.micro")]], True),
    ([[types("t3.large", "m5.large")]], False),
    ([[types("t3.large")], [types("m5.large")]], False),
    ([[types("t3.large")], [types("t2.micro")]], True),
    ([[types("a", key="zone"), types("t3.large")]], True),
    ([[types("m5.large", operator="NotIn")]], False),
    ([[types("t3.large", operator="NotIn")]], False),
    ([[types("x99.large")]], False),
    ([[]], False),
    ([], False),
])
def test_required_node_affinity(shop, terms, warned):
    response = shop.review("/validate-v1-pod", review(pod(resources=HAS_ONE, affinity=affinity(*terms))))
    assert response.get("warnings", []) == ([
        "spec.affinity.nodeAffinity: requires instance types without branch interfaces; allow others [pod-instance-type]"]
        if warned else [])


@pytest.mark.parametrize("before, after, user, denied", [
    ({}, {}, "admin", []),
    (None, {}, "admin", []),
    ({"a": "b"}, {"a": "c"}, "admin", []),
    ({}, {RESOURCE: "x"}, "admin", [RESOURCE]),
    ({RESOURCE: "x"}, {}, "admin", [RESOURCE]),
    ({RESOURCE: "x"}, {RESOURCE: "y"}, "admin", [RESOURCE]),
    ({RESOURCE: ""}, {}, "admin", [RESOURCE]),
    ({}, {RESOURCE: ""}, "admin", [RESOURCE]),
    ({RESOURCE: "x"}, {RESOURCE: "x"}, "admin", []),
    ({}, {RESOURCE: "x"}, CONTROLLER, []),
    ({}, {RESOURCE: "x"}, "system:serviceaccount:kube-system:vpc-resource-controller", []),
    ({RESOURCE: "x"}, {}, "system:serviceaccount:kube-system:eks-vpc-resource-controller", []),
    ({}, {RESOURCE: "x"}, "system:serviceaccount:default:vpc-resource-controller", [RESOURCE]),
    ({}, {FARGATE: "x"}, "admin", [FARGATE]),
    ({FARGATE: "x"}, {FARGATE: "y"}, CONTROLLER, [FARGATE]),
    ({FARGATE: "x"}, {}, "admin", [FARGATE]),
    ({}, {FARGATE: "x", RESOURCE: "x"}, "admin", [RESOURCE, FARGATE]),
])
@pytest.mark.parametrize("namespace", ["shop", "elsewhere", "shop-off"])
@pytest.mark.parametrize("sub_resource", ["", "status"])
def test_protected_annotations(shop, before, after, user, denied, namespace, sub_resource):
    body = review(pod(annotations=after), pod(annotations=before), user=user, namespace=namespace, subResource=sub_resource)
    response = shop.review("/validate-v1-pod", body)
    causes = response.get("status", {}).get("details", {}).get("causes", [])
    assert [cause["field"] for cause in causes] == [f"metadata.annotations[{key}]" for key in denied]


@pytest.mark.parametrize("before, after, warning", [
    ({"app": "web"}, {"app": "web", "x": "y"}, None),
    ({}, {"app": "db"}, "(+also-web)"),
    ({"app": "db"}, {}, "(-also-web)"),
    ({"app": "web"}, {"size": "xl"}, "(+many -also-web -web)"),
])
def test_changed_labels(shop, before, after, warning):
    response = shop.review("/validate-v1-pod", review(pod(after), pod(before)))
    assert response["allowed"] is True
    assert response.get("warnings", []) == ([
        f"metadata.labels: its policies change {warning}, a running pod keeps its groups [pod-labels-changed]",
        "kubectl delete pod p -n shop"] if warning else [])


@pytest.mark.parametrize("namespace, allowed, findings", [
    ("shop-off", True, ""),
    ("shop-warn", True, "pod-branch-missing=warn,pod-instance-type=warn"),
    ("shop-enforce", False, "pod-branch-missing=deny,pod-instance-type=deny"),
])
def test_namespace_mode(shop, namespace, allowed, findings):
    body = review(pod(nodeSelector={"node.kubernetes.io/instance-type": "t3.large"}), namespace=namespace)
    response = shop.review("/validate-v1-pod", body)
    assert response["allowed"] is allowed
    assert response["auditAnnotations"].get("findings", "") == findings
    assert patch_of(shop.review("/mutate-v1-pod", body)), "a mode changes checks, not the mutation"


def test_ambient_namespace(shop):
    assert shop.review("/validate-v1-pod", review(pod(resources=HAS_ONE), namespace="mesh"))["warnings"]
    own = pod({"app": "web", "istio.io/dataplane-mode": "none"}, resources=HAS_ONE)
    assert "warnings" not in shop.review("/validate-v1-pod", review(own, namespace="mesh"))


def workload(kind, template, old=False, owners=()):
    spec = {"jobTemplate": {"spec": {"template": template}}} if kind == "CronJob" else {"template": template}
    return {"metadata": {"name": "w", "ownerReferences": list(owners)}, "spec": spec}


KINDS = [("apps", "Deployment"), ("apps", "StatefulSet"), ("apps", "DaemonSet"), ("apps", "ReplicaSet"), ("batch", "Job"),
         ("batch", "CronJob"), ("", "ReplicationController")]
BROKEN = pod({"app": "web", "size": "xl"}, terminationGracePeriodSeconds=0)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind[1])
def test_workloads_are_warned_of_at_their_template(shop, kind):
    response = shop.review("/validate-workload", review(workload(kind[1], BROKEN), kind=kind))
    path = "spec.jobTemplate.spec.template" if kind[1] == "CronJob" else "spec.template"
    assert response["allowed"] is True
    assert response["auditAnnotations"]["findings"] == "pod-group-count=warn,pod-grace-period=warn"
    tail = f"{path}.spec.terminationGracePeriodSeconds"[-20:]
    assert tail in response["warnings"][1]
    assert "patch" not in response


@pytest.mark.parametrize("kind, body", [
    (("apps", "ReplicaSet"), workload("ReplicaSet", BROKEN, owners=[{"apiVersion": "apps/v1", "kind": "Deployment", "controller": True}])),
    (("batch", "Job"), workload("Job", BROKEN, owners=[{"apiVersion": "batch/v1", "kind": "CronJob", "controller": True}])),
    (("", "ReplicationController"), workload("x", BROKEN, owners=[{"kind": "DeploymentConfig", "controller": True}])),
    (("", "Deployment"), workload("Deployment", BROKEN)),
    (("apps", "Scale"), workload("Deployment", BROKEN)),
    (("apps", "Deployment"), {"metadata": {"name": "w"}, "spec": {}}),
    (("apps", "Deployment"), {"spec": {"template": None}}),
])
def test_workloads_that_are_passed_over(shop, kind, body):
    assert shop.review("/validate-workload", review(body, kind=kind)) == {"uid": "u", "allowed": True}


def test_workload_owned_by_something_else_is_looked_at(shop):
    body = workload("Deployment", BROKEN, owners=[{"kind": "Operator", "controller": True}])
    assert shop.review("/validate-workload", review(body, kind=("apps", "Deployment")))["warnings"]


def test_workloads_can_be_refused(start, tmp_path):
    config = tmp_path / "c.yaml"
    config.write_text(f"workloads: deny\npolicies: {{paths: [{DATA / 'cluster.yaml'}]}}\n"
                      f"tls: {{selfSigned: {tmp_path / 'certs'}}}\nlisten: 127.0.0.1:0\nhealthListen: 127.0.0.1:0\n"
                      "profile: strict\nchecks: {pod-grace-period: ignore}\n")
    running = start("--config", config)
    running.certs = tmp_path / "certs"
    template = pod(nodeSelector={"node.kubernetes.io/instance-type": "t3.large"}, terminationGracePeriodSeconds=0)
    body = review(workload("Deployment", template), kind=("apps", "Deployment"))
    response = running.review("/validate-workload", body)
    assert [cause["reason"] for cause in response["status"]["details"]["causes"]] == ["pod-instance-type"]
    # what is stored already is not refused again
    body["request"].update(operation="UPDATE", oldObject=copy.deepcopy(body["request"]["object"]))
    assert running.review("/validate-workload", body)["auditAnnotations"]["findings"] == "pod-instance-type=warn"


def test_settings_of_pods(start, tmp_path):
    config = tmp_path / "c.yaml"
    config.write_text(f"policies: {{paths: [{DATA / 'cluster.yaml'}]}}\nlisten: 127.0.0.1:0\nhealthListen: 127.0.0.1:0\n"
                      f"tls: {{selfSigned: {tmp_path / 'certs'}}}\nwindowsIpam: true\nlimits: {{groupsPerInterface: 8}}\n"
                      "podSecurityGroupEnforcingMode: standard\nchecks: {pod-fargate: deny, pod-host-network: deny, pod-branch-count: deny}\n")
    running = start("--config", config)
    running.certs = tmp_path / "certs"
    windows = pod({}, nodeSelector={"kubernetes.io/os": "windows"})
    assert patch_of(running.review("/mutate-v1-pod", review(windows)))[0]["value"]["limits"] == {
        "vpc.amazonaws.com/PrivateIPv4Address": "1"}
    eight = pod({"app": "web", "size": "xl"}, resources=HAS_ONE, dnsConfig={"nameservers": ["169.254.20.10"]})
    assert "warnings" not in running.review("/validate-v1-pod", review(eight))
    fargate = pod(FARGATE_LABELS, {FARGATE: UNION})
    assert running.review("/validate-v1-pod", review(fargate))["auditAnnotations"]["findings"] == "pod-fargate=deny"
    five = running.review("/validate-v1-pod", review(pod({**FARGATE_LABELS, "size": "xl"})))
    assert "pod-group-count=deny" in five["auditAnnotations"]["findings"], "Fargate stays at 5"
    twice = pod(containers=[{"name": "a", "resources": HAS_ONE}, {"name": "b", "resources": HAS_ONE}])
    assert running.review("/mutate-v1-pod", review(twice))["allowed"] is True, "the mutation never denies"
    assert running.review("/validate-v1-pod", review(twice))["auditAnnotations"]["findings"] == "pod-branch-count=deny"
    host = running.review("/validate-v1-pod", review(pod(hostNetwork=True)))
    assert host["status"]["details"]["causes"][0]["reason"] == "pod-host-network"


NODE = {"metadata": {"name": "n", "labels": {"a": "b"}, "annotations": {}, "managedFields": [1]},
        "spec": {"providerID": "aws:///x", "taints": []}, "status": {"capacity": {"cpu": "2"}, "images": [{"names": ["a"]}]}}


def node(**changes):
    made = copy.deepcopy(NODE)
    for path, value in changes.items():
        *parents, last = path.split("__")
        target = made
        for key in parents:
            target = target[key]
        if value is None:
            target.pop(last, None)
        else:
            target[last] = value
    return made


TRUNK = "vpc.amazonaws.com/has-trunk-attached"


@pytest.mark.parametrize("changed, fields", [
    (node(), None),
    (node(metadata__labels={"a": "b", TRUNK: "true"}), None),
    (node(metadata__labels={"a": "b", "vpc.amazonaws.com/eniConfig": "x", TRUNK: "false"}), None),
    (node(metadata__managedFields=[2, 3], metadata__selfLink="/x"), None),
    (node(metadata__annotations=None, spec__taints=None), None),
    (node(metadata__labels={"a": "c"}), "metadata.labels[a]"),
    (node(metadata__labels={"a": "b", "x.y/z": ""}), "metadata.labels[x.y/z]"),
    (node(metadata__labels=None), "metadata.labels[a]"),
    (node(metadata__annotations={"k": "v"}), "metadata.annotations[k]"),
    (node(spec__taints=[{"key": "k"}]), "spec.taints"),
    (node(spec__unschedulable=True), "spec.unschedulable"),
    (node(status__images=[{"names": ["b"]}]), "status.images[0].names[0]"),
    (node(status__capacity={"cpu": "3"}, spec__unschedulable=True), "spec.unschedulable, status.capacity.cpu"),
])
def test_what_aws_node_may_change(shop, changed, fields):
    def body(user):
        return review(changed, NODE, kind=("", "Node"), namespace="", user=user)

    response = shop.review("/validate-v1-node", body("system:serviceaccount:kube-system:aws-node"))
    assert response["allowed"] is (fields is None)
    if fields:
        cause, = response["status"]["details"]["causes"]
        assert cause == {"reason": "node-aws-node", "field": fields.split(",")[0], "message":
                         f"aws-node may change only its two labels of a node, it changes {fields}"}
    for user in ("system:node:n", "admin", "system:serviceaccount:default:aws-node"):
        assert shop.review("/validate-v1-node", body(user)) == {"uid": "u", "allowed": True}


def binding(annotations):
    return {"metadata": {"name": "p", "annotations": annotations}, "target": {"kind": "Node", "name": "n"}}


@pytest.mark.parametrize("annotations, user, denied", [
    ({}, "system:kube-scheduler", []),
    ({"a": "b"}, "system:kube-scheduler", []),
    ({RESOURCE: "x"}, "system:kube-scheduler", [RESOURCE]),
    ({RESOURCE: "x"}, CONTROLLER, []),
    ({FARGATE: "x"}, CONTROLLER, [FARGATE]),
])
def test_annotations_of_a_binding_become_the_pods(shop, annotations, user, denied):
    body = review(binding(annotations), kind=("", "Binding"), subResource="binding", user=user)
    response = shop.review("/validate-v1-pod", body)
    causes = response.get("status", {}).get("details", {}).get("causes", [])
    assert [cause["field"] for cause in causes] == [f"metadata.annotations[{key}]" for key in denied]


def test_update_without_the_old_object_is_no_way_around(shop):
    response = shop.review("/validate-v1-pod", review(pod(annotations={RESOURCE: "x"}), operation="UPDATE"))
    assert response["allowed"] is False and response["status"]["code"] == 400
    assert response["status"]["message"] == "request.oldObject: missing, an update cannot be judged without it"


@pytest.mark.parametrize("operation", ["UPDATE", "DELETE"])
def test_stored_policy_that_cannot_be_read_can_be_mended_and_deleted(shop, operation):
    good = {"metadata": {"name": "p"}, "spec": {"podSelector": {"matchLabels": {"a": "b"}},
                                                "securityGroups": {"groupIds": ["sg-01234567"]}}}
    bad = {"metadata": {"name": "p"}, "spec": {"podSelector": {}, "securityGroups": {"groupIds": "sg-01234567"}}}
    body = review(good if operation == "UPDATE" else None, bad, operation, kind=("vpcresources.k8s.aws", "SecurityGroupPolicy"))
    assert shop.review("/validate-v1beta1-securitygrouppolicy", body)["allowed"] is True


def test_what_is_found_is_bounded(shop):
    values = [f"not ok {i}" for i in range(50_000)]
    spec = {"podSelector": {"matchExpressions": [{"key": "a", "operator": "In", "values": values}]}}
    body = review({"metadata": {"name": "p"}, "spec": spec}, {"metadata": {"name": "p"}, "spec": spec},
                  kind=("vpcresources.k8s.aws", "SecurityGroupPolicy"))
    status, answer = shop.post("/validate-v1beta1-securitygrouppolicy", body)
    assert status == 200 and len(answer) < 40_000 and json.loads(answer)["response"]["allowed"] is True
    body["request"].update(operation="CREATE", oldObject=None)
    response = shop.review("/validate-v1beta1-securitygrouppolicy", body)
    assert len(response["status"]["details"]["causes"]) == 64 and "more)" in response["status"]["message"]


@pytest.mark.parametrize("depth, leaf", [(1_500, 1_000_000), (10, 3_000_000)])
def test_large_and_deep_nodes_are_compared(shop, depth, leaf):
    def text(last):
        return "[" * depth + f'"{"x" * leaf}",{last}' + "]" * depth

    head = ('{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"u","operation":"UPDATE",'
            '"kind":{"group":"","version":"v1","kind":"Node"},"userInfo":{"username":'
            '"system:serviceaccount:kube-system:aws-node"},')
    status, answer = shop.post("/validate-v1-node", head + f'"object":{{"a":{text(1)}}},"oldObject":{{"a":{text(2)}}}}}}}')
    assert status == 200 and json.loads(answer)["response"]["allowed"] is False
