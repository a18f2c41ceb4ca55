#!/usr/bin/env python3
"""Writes synthetic policies: the same mix of selectors in every namespace, of which a recorded pod is selected by some.

Namespaces have names of one length (ns-000000000 and on), so that a recorded review can be sent for any of them by
writing the name over its own."""
import argparse
import json
import pathlib

PER_FILE = 500


def expression(key, operator, *values):
    return {"matchExpressions": [{"key": key, "operator": operator, **({"values": list(values)} if values else {})}]}


def labels(**pairs):
    return {"matchLabels": pairs}


# What selects the pod that tests/data/reviews/011 creates is marked; its service account is "default".
MIX = [
    {"podSelector": labels(role="my-role")},  # selects
    {"podSelector": labels(app="my-app", tier="database")},
    {"podSelector": expression("role", "In", "web", "api", "my-role")},  # selects
    {"podSelector": expression("app", "NotIn", "my-app", "other-app")},
    {"podSelector": expression("network.example.com/isolated", "Exists")},
    {"podSelector": expression("app", "DoesNotExist")},
    {"serviceAccountSelector": labels(team="search")},
    {"serviceAccountSelector": expression("team", "In", "payments", "billing")},  # selects
    {"podSelector": labels(app="my-app"), "serviceAccountSelector": labels(team="search")},
    {"podSelector": labels(**{"app.kubernetes.io/name": "frontend", "app.kubernetes.io/part-of": "shop"})},
]


def namespace_name(index):
    return f"ns-{index:09d}"


def policy(namespace, index):
    group = f"sg-{namespace * 100 + index:017x}"
    return {"apiVersion": "vpcresources.k8s.aws/v1beta1", "kind": "SecurityGroupPolicy",
            "metadata": {"name": f"policy-{index:03d}", "namespace": namespace_name(namespace)},
            "spec": {**MIX[index % len(MIX)], "securityGroups": {"groupIds": [group]}}}


def account(namespace):
    return {"apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": {"name": "default", "namespace": namespace_name(namespace), "labels": {"team": "payments"}}}


def put_yaml(value, indent, lines):
    """Enough of YAML for the objects above."""
    for key, item in value.items():
        if isinstance(item, dict):
            lines.append(f"{indent}{key}:")
            put_yaml(item, indent + "  ", lines)
        elif isinstance(item, list) and isinstance(item[0], dict):
            lines.append(f"{indent}{key}:")
            for element in item:
                nested = []
                put_yaml(element, indent + "  ", nested)
                lines.append(indent + "- " + nested[0].lstrip())
                lines.extend(nested[1:])
        elif isinstance(item, list):
            lines.append(f"{indent}{key}: [{', '.join(item)}]")
        else:
            lines.append(f"{indent}{key}: {item}")


def as_yaml(documents):
    lines = []
    for document in documents:
        lines.append("---")
        put_yaml(document, "", lines)
    return "\n".join(lines) + "\n"


def as_json(documents):
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": documents}) + "\n"


def generate(directory, policies, namespaces, form="yaml"):
    """Spreads `policies` evenly over `namespaces`, into files of PER_FILE namespaces."""
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    per_namespace = policies // namespaces
    for first in range(0, namespaces, PER_FILE):
        documents = []
        for namespace in range(first, min(first + PER_FILE, namespaces)):
            documents.append(account(namespace))
            documents.extend(policy(namespace, index) for index in range(per_namespace))
        text = as_yaml(documents) if form == "yaml" else as_json(documents)
        (directory / f"policies-{first:06d}.{form}").write_text(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory")
    parser.add_argument("--policies", type=int, default=1000)
    parser.add_argument("--namespaces", type=int, default=100)
    parser.add_argument("--format", choices=["yaml", "json"], default="yaml")
    options = parser.parse_args()
    if options.namespaces < 1 or options.policies % options.namespaces:
        parser.error("--policies has to be a multiple of --namespaces")
    generate(options.directory, options.policies, options.namespaces, options.format)


if __name__ == "__main__":
    main()
