#!/usr/bin/env python3
"""Measures the server against a bare libmicrohttpd server, side by side, and prints ratios; see docs/performance.md."""
import argparse
import json
import os
import pathlib
import sys
import tempfile
import time

import generate
import machine
import report
from processes import CLIENT_CORE, SERVER_CORE, Ceiling, Server, Wire, load, output_of, saturate
from reviews import DATA, make_answers, make_reviews

BENCH = pathlib.Path(__file__).resolve().parent
SIZES = [(10, 1), (1_000, 100), (100_000, 10_000)]  # policies, namespaces
CHANGED_NAMESPACE = "changing"
LOG_TO_WARN = {"log": {"level": "warn"}}


class Site:
    """Where things are: what was built, and a directory to work in."""

    def __init__(self, build, work):
        self.build, self.work = build, work
        self.binary, self.manifests = build / "sgp-webhook", DATA / "manifests.yaml"
        self.certificate, self.key, self.ca = work / "certs/tls.crt", work / "certs/tls.key", work / "certs/ca.crt"
        output_of([self.binary, "certs", work / "certs", "--dns", "localhost", "--ip", "127.0.0.1"])

    def policies(self, count):
        return self.work / f"policies-{count}"


class Plan:
    """How often and how long, so that all of it takes about so many seconds."""

    def __init__(self, seconds):
        self.pairs = 3 if seconds < 600 else 7
        self.starts = 15 if seconds < 600 else 41
        runs = self.pairs * 30  # throughput and latency of five reviews, log, sizes
        self.sample_s = max(1, int((seconds - 60) / runs))
        self.churn_s = 3 * self.sample_s


def say(text):
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def alternate(pair, first, second):
    """The two in turn, and who is first in turn too."""
    return (first, second) if pair % 2 == 0 else (second, first)


def measure_pair(site, plan, pair, review, answer, with_latency=True, **settings):
    """One review against both servers, each started anew."""
    sample = {}
    with Ceiling(site, answer) as ceiling, Server(site, site.manifests, **settings) as server:
        servers = {"bare": ceiling, "server": server}
        for name in alternate(pair, "bare", "server"):
            sample[name] = saturate(servers[name], review, plan.sample_s)
        if with_latency:
            rate, own_rate = sample["server"]["per_s"] / 2, sample["bare"]["per_s"] / 2
            for name in alternate(pair, "bare", "server"):
                sample[name]["half"] = load(site, servers[name], review, plan.sample_s, rate)
            sample["bare"]["own_half"] = load(site, ceiling, review, plan.sample_s, own_rate)
        for name, process in servers.items():
            sample[name]["memory_mib"] = process.memory_mib()
    return sample


def measure_reviews(site, plan, reviews, answers):
    samples = {review.name: [] for review in reviews}
    for pair in range(plan.pairs):
        say(f"reviews over TLS, against the bare server: {pair + 1} of {plan.pairs}")
        for review in reviews:
            samples[review.name].append(measure_pair(site, plan, pair, review, answers[review.name]))
    return samples


def measure_quiet_log(site, plan, reviews, answers):
    """The selected pod without the line that each patch logs."""
    say("the same without a line of log for each patch")
    review = reviews[0]
    return [measure_pair(site, plan, pair, review, answers[review.name], False, **LOG_TO_WARN)
            for pair in range(plan.pairs)]


def measure_starts(site, plan, answer):
    say("starts with 1,000 policies")
    server_s, bare_s = [], []
    for _ in range(plan.starts):
        with Server(site, site.policies(1_000)) as server:
            server_s.append(server.ready_s)
        with Ceiling(site, answer) as ceiling:
            bare_s.append(ceiling.ready_s)
    return {"server_s": server_s, "bare_s": bare_s}


def change_latency(site, server, policies, review, times):
    """From the moment a file has its new name until a pod gets its new group, in seconds."""
    body = review.body.read_bytes().replace(b"my-namespace", CHANGED_NAMESPACE.encode())
    wire, latencies = Wire(server.port, site.ca), []
    for index in range(times):
        text = json.dumps({**generate.policy(0, 0), "metadata": {"name": "p", "namespace": CHANGED_NAMESPACE},
                           "spec": {**generate.MIX[0], "securityGroups": {"groupIds": [f"sg-{index:08x}"]}}})
        draft = policies / "changing.draft"
        draft.write_text(text)
        draft.rename(policies / "changing.json")
        start_s = time.monotonic()
        while wire.ask(review.path, body).get("auditAnnotations", {}).get("security-groups") != f"sg-{index:08x}":
            if time.monotonic() > start_s + 30:
                raise RuntimeError("a changed file is not noticed")
        latencies.append(time.monotonic() - start_s)
        time.sleep(0.05)
    return latencies


def measure_sizes(site, plan, review):
    """The same reviews with few and with many policies; they are for different namespaces, so that no cache holds all
    that is asked."""
    say("servers with 10, 1,000 and 100,000 policies")
    servers = [Server(site, site.policies(policies)) for policies, _ in SIZES]
    try:
        results = [{"policies": policies, "namespaces": namespaces, "ready_s": server.ready_s,
                    "idle_mib": server.memory_mib(), "peak_mib": server.memory_mib("VmHWM"), "samples": []}
                   for (policies, namespaces), server in zip(SIZES, servers)]
        for turn in range(plan.pairs):
            order = list(zip(results, servers))
            for result, server in order if turn % 2 == 0 else reversed(order):
                result["samples"].append(load(site, server, review, plan.sample_s, namespaces=result["namespaces"]))
        for result, server in zip(results, servers):
            result["change_s"] = change_latency(site, server, site.policies(result["policies"]), review, 5)
        return results
    finally:
        for server in servers:
            server.stop()


def measure_churn(site, plan, review):
    say("policies that change 100 times a second, in process")
    return [json.loads(output_of(["taskset", "-c", SERVER_CORE, site.build / "bench/churn", site.policies(policies),
                                  site.policies(SIZES[0][0]), review.body, plan.churn_s]))
            for policies, _ in SIZES]


def measure_steps(site, reviews):
    say("the steps of a review, in process")
    named = [text for review in reviews for text in (review.name, review.endpoint, review.body)]
    return json.loads(output_of(["taskset", "-c", SERVER_CORE, site.build / "bench/inprocess", site.manifests, *named]))


def measure(site, plan):
    for policies, namespaces in SIZES:
        generate.generate(site.policies(policies), policies, namespaces)
    reviews = make_reviews(site.work)
    answers = make_answers(site, reviews)
    pod = reviews[0]
    return {
        "steps": measure_steps(site, reviews),
        "churn": measure_churn(site, plan, pod),
        "starts": measure_starts(site, plan, answers[pod.name]),
        "sizes": measure_sizes(site, plan, pod),
        "reviews": measure_reviews(site, plan, reviews, answers),
        "quiet_log": measure_quiet_log(site, plan, reviews, answers),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=BENCH.parent / "build/bench")
    parser.add_argument("--seconds", type=int, default=270, help="how long all of it takes, roughly")
    parser.add_argument("--results", type=pathlib.Path, default=report.RESULTS)
    options = parser.parse_args()
    if os.cpu_count() < 2:
        sys.exit("two cores are needed: one for the server, one for the load")
    os.sched_setaffinity(0, {int(CLIENT_CORE)})
    plan = Plan(options.seconds)
    before = machine.activity()
    with tempfile.TemporaryDirectory(prefix="sgp-bench-") as work:
        results = measure(Site(options.build.resolve(), pathlib.Path(work)), plan)
    results["machine"] = machine.describe(before)
    results["plan"] = vars(plan)
    options.results.write_text(json.dumps(results, indent=1) + "\n")
    print(report.text(results))


if __name__ == "__main__":
    main()
