"""Every recorded AdmissionReview, answered by the command line and by the server: the whole answer is compared.

tests/data/reviews-expected.json holds, by file name, the response as it should be, with its JSONPatch decoded."""
import base64
import json

import pytest

from conftest import DATA

REVIEWS = sorted((DATA / "reviews").glob("*.json"))
EXPECTED = json.loads((DATA / "reviews-expected.json").read_text())
POLICIES = DATA / "manifests.yaml"
ENDPOINTS = {
    "mutate-v1-pod": "/mutate-v1-pod",
    "validate-v1-pod": "/validate-v1-pod",
    "validate-v1-node": "/validate-v1-node",
    "validate-workload": "/validate-workload",
    # recorded before the path had its version
    "validate-securitygrouppolicy": "/validate-v1beta1-securitygrouppolicy",
}


def endpoint_of(path):
    name = path.name.split("-", 1)[1]
    return next(endpoint for prefix, endpoint in ENDPOINTS.items() if name.startswith(prefix))


def decoded(answer):
    """The response, with the patch as what it decodes to."""
    review = json.loads(answer)
    assert (review["kind"], review["apiVersion"]) == ("AdmissionReview", "admission.k8s.io/v1")
    response = review["response"]
    if "patch" in response:
        assert response["patchType"] == "JSONPatch"
        response["patch"] = json.loads(base64.b64decode(response["patch"], validate=True))
    return response


def test_all_recorded_reviews_are_here():
    assert len(REVIEWS) == 31 and {path.name for path in REVIEWS} == set(EXPECTED)


@pytest.mark.parametrize("path", REVIEWS, ids=lambda path: path.name[:3])
def test_recorded_review(sgp, server, path):
    done = sgp("review", "--policies", POLICIES, "--endpoint", endpoint_of(path), path)
    assert decoded(done.stdout) == EXPECTED[path.name]
    assert done.returncode == (0 if EXPECTED[path.name]["allowed"] else 1) and done.stderr == ""
    status, body = server.post(endpoint_of(path), path.read_bytes())
    assert (status, body.decode()) == (200, done.stdout)
    uid = json.loads(path.read_text())["request"]["uid"]
    assert EXPECTED[path.name]["uid"] == uid


@pytest.mark.parametrize("path", [path for path in REVIEWS if "mutate-v1-pod" in path.name], ids=lambda path: path.name[:3])
def test_mutation_of_the_mutated_pod_adds_nothing(server, path):
    review = json.loads(path.read_text())
    patch = EXPECTED[path.name].get("patch", [])
    for operation in patch:
        *parents, last = [key.replace("~1", "/").replace("~0", "~") for key in operation["path"].split("/")[1:]]
        target = review["request"]["object"]
        for key in parents:
            target = target[int(key) if isinstance(target, list) else key]
        assert operation["op"] == ("replace" if last in target else "add")
        target[last] = operation["value"]
    again = server.review("/mutate-v1-pod", review)
    assert again["allowed"] is True and "patch" not in again


@pytest.mark.parametrize("path", REVIEWS, ids=lambda path: path.name[:3])
def test_v1beta1_gets_the_same_answer(server, path):
    review = json.loads(path.read_text())
    review["apiVersion"] = "admission.k8s.io/v1beta1"
    status, body = server.post(endpoint_of(path), review)
    answer = json.loads(body)
    assert status == 200 and answer["apiVersion"] == "admission.k8s.io/v1beta1"
    answer["apiVersion"] = "admission.k8s.io/v1"
    assert decoded(json.dumps(answer)) == EXPECTED[path.name]
