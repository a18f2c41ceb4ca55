"""The reviews that are sent: recorded ones, and variations of them."""
import json
import pathlib

from processes import Review, output_of

DATA = pathlib.Path(__file__).resolve().parent.parent / "tests/data"
NODE_BYTES = 300 * 1000


def recorded(number):
    return json.loads(next((DATA / "reviews").glob(f"{number:03d}-*.json")).read_text())


def write(path, review):
    path.write_text(json.dumps(review, separators=(",", ":"), ensure_ascii=False))
    return path


def unselected_pod():
    review = recorded(11)
    review["request"]["object"]["metadata"]["labels"] = {"app": "other-app", "role": "other-role"}
    return review


def node_image(number):
    name = f"123456789012.dkr.ecr.us-west-2.amazonaws.com/team-{number % 17}/service-{number}"
    return {"names": [f"{name}@sha256:{number:064x}", f"{name}:v1.{number}.0"], "sizeBytes": 10_000_000 + number * 4711}


def grow_node(node, size):
    """Images and annotations, some of them with escapes, until the node takes so many bytes."""
    images = node["status"].setdefault("images", [])
    annotations = node["metadata"]["annotations"]
    while len(json.dumps(node, separators=(",", ":"))) < size:
        for _ in range(16):
            images.append(node_image(len(images)))
        annotations[f"example.com/state-{len(annotations)}"] = json.dumps({"checked": True, "by": "agent", "notes": ["ok"] * 20})


def large_node():
    """What aws-node sends when it has attached a trunk interface; it may."""
    review = recorded(31)
    request = review["request"]
    request["userInfo"]["username"] = "system:serviceaccount:kube-system:aws-node"
    for name, attached in (("oldObject", "false"), ("object", "true")):
        grow_node(request[name], NODE_BYTES // 2)
        request[name]["metadata"]["labels"]["vpc.amazonaws.com/has-trunk-attached"] = attached
    return review


def make_reviews(work):
    return [
        Review("selected pod", "/mutate-v1-pod", write(work / "pod.json", recorded(11))),
        Review("unselected pod", "/mutate-v1-pod", write(work / "other-pod.json", unselected_pod())),
        Review("policy", "/validate-v1beta1-securitygrouppolicy", write(work / "policy.json", recorded(1))),
        Review("Deployment", "/validate-workload", write(work / "deployment.json", recorded(5))),
        Review("300 KB node", "/validate-v1-node", write(work / "node.json", large_node())),
    ]


def make_answers(site, reviews):
    """What the server would answer, into files, for the bare server to answer the same; checked to be what is meant."""
    answers = {}
    for review in reviews:
        text = output_of([site.binary, "review", "--policies", site.manifests, "--endpoint", review.endpoint, review.body])
        response = json.loads(text)["response"]
        if not response["allowed"] or ("patch" in response) != (review.name == "selected pod"):
            raise RuntimeError(f"{review.name}: not the answer that is to be measured: {text}")
        answers[review.name] = review.body.with_suffix(".answer")
        answers[review.name].write_text(text)
    return answers
