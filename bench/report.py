#!/usr/bin/env python3
"""Tables, in Markdown, and the plot of what was measured. As a program: puts those of bench/results.json into
docs/performance.md and docs/performance.svg."""
import json
import pathlib
import subprocess
from statistics import median

BENCH = pathlib.Path(__file__).resolve().parent
RESULTS = BENCH / "results.json"
PAGE, PLOT = BENCH.parent / "docs/performance.md", BENCH.parent / "docs/performance.svg"
PLOT_SCRIPT = BENCH / "plot.gp"
BEGIN, END = "<!-- results: written by bench/report.py -->\n", "<!-- end of results -->\n"

# The goals: what, at least or at most, and the value.
THROUGHPUT_GOAL, SIZE_GOAL, P99_GOAL = 0.50, 0.95, 3.0
IDLE_GOALS_MIB = {1_000: 15, 100_000: 120}
START_GOAL_MS = 100


def ratios(pairs, value):
    """Of each pair, sorted: the server's over the bare one's."""
    return sorted(value(pair["server"]) / value(pair["bare"]) for pair in pairs)


def speed(sample):
    """Reviews per second of processor time: what one core does when nothing else holds it up."""
    return 1e6 / sample["cpu_us"]


def medians(pairs, name, value):
    return median(value(pair[name]) for pair in pairs)


def spread(numbers, form):
    return f"{form.format(median(numbers))} ({form.format(numbers[0])} to {form.format(numbers[-1])})"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(head) - 1)]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows])


def throughput_row(name, pairs):
    return [name,
            f"{medians(pairs, 'bare', lambda s: s['per_s']):,.0f}",
            f"{medians(pairs, 'server', lambda s: s['per_s']):,.0f}",
            spread(ratios(pairs, lambda s: s["per_s"]), "{:.2f}"),
            f"{medians(pairs, 'bare', lambda s: s['busy']):.0%}",
            f"{medians(pairs, 'server', lambda s: s['busy']):.0%}",
            f"{medians(pairs, 'bare', lambda s: s['cpu_us']):.1f}",
            f"{medians(pairs, 'server', lambda s: s['cpu_us']):.1f}",
            spread(ratios(pairs, speed), "{:.2f}")]


def throughput(results):
    rows = [throughput_row(name, pairs) for name, pairs in results["reviews"].items()]
    rows.append(throughput_row("selected pod, not logged", results["quiet_log"]))
    return table(["review", "bare /s", "server /s", "ratio", "bare busy", "server busy", "bare µs", "server µs",
                  "ratio per core"], rows)


def latency_row(name, pairs):
    def ratio(quantile, of):
        return sorted(pair["server"]["half"][quantile] / pair["bare"][of][quantile] for pair in pairs)

    def us(server, of, quantile):
        return f"{medians(pairs, server, lambda s: s[of][quantile]):.0f}"

    return [name, f"{medians(pairs, 'server', lambda s: s['half']['rate']):,.0f}",
            us("bare", "half", "p50_us"), us("server", "half", "p50_us"),
            us("bare", "half", "p99_us"), us("server", "half", "p99_us"), spread(ratio("p99_us", "half"), "{:.2f}"),
            us("bare", "own_half", "p99_us"), spread(ratio("p99_us", "own_half"), "{:.2f}")]


def latency(results):
    rows = [latency_row(name, pairs) for name, pairs in results["reviews"].items()]
    return table(["review", "rate /s", "bare p50 µs", "server p50 µs", "bare p99 µs", "server p99 µs", "ratio",
                  "bare p99 µs at its own half load", "ratio to that"], rows)


def steps(results):
    rows = [[name, f"{step['bytes']:,}", f"{step['decode_ns']:,.0f}", f"{step['match_ns']:,.0f}",
             f"{max(0, step['decide_ns'] - step['match_ns']):,.0f}", f"{step['encode_ns']:,.0f}",
             f"{step['answer_ns']:,.0f}", f"{step['jansson_ns']:,.0f}", f"{step['jansson_ns'] / step['answer_ns']:.1f}"]
            for name, step in results["steps"].items()]
    return table(["review", "bytes", "decode ns", "match ns", "checks ns", "encode ns", "answer ns", "Jansson ns",
                  "Jansson / answer"], rows)


def size_ratio(results, index):
    """Of each turn, sorted: the speed with many policies over that with the fewest."""
    first, other = results["sizes"][0]["samples"], results["sizes"][index]["samples"]
    return sorted(speed(b) / speed(a) for a, b in zip(first, other))


def bytes_per_policy(results):
    first, last = results["sizes"][0], results["sizes"][-1]
    return (last["idle_mib"] - first["idle_mib"]) * 2**20 / (last["policies"] - first["policies"])


def sizes(results):
    rows = []
    for index, size in enumerate(results["sizes"]):
        per_s = median(sample["per_s"] for sample in size["samples"])
        rows.append([f"{size['policies']:,} in {size['namespaces']:,}", f"{per_s:,.0f}",
                     spread(size_ratio(results, index), "{:.3f}"), f"{size['idle_mib']:.1f}", f"{size['peak_mib']:.1f}",
                     f"{size['ready_s'] * 1000:,.0f}", f"{median(size['change_s']) * 1000:,.0f}"])
    return table(["policies in namespaces", "reviews /s", "ratio per core", "idle MiB", "peak while reading MiB",
                  "ready after ms", "file change visible after ms"], rows)


def churn(results):
    rows = [[f"{run['policies']:,} in {run['namespaces']:,}", f"{run['replace_p50_ns'] / 1000:.1f}",
             f"{run['replace_p99_ns'] / 1000:.1f}", f"{run['quiet_per_s']:,.0f}", f"{run['changing_per_s']:,.0f}",
             f"{run['changing_ratio']:.3f}"] for run in results["churn"]]
    return table(["policies in namespaces", "replacement µs, median", "99 %", "answers /s", "answers /s while changing",
                  "ratio"], rows)


def goal_rows(results):
    """What, goal, measured, reached."""
    for name, pairs in results["reviews"].items():
        worst = min(median(ratios(pairs, speed)), median(ratios(pairs, lambda s: s["per_s"])))
        yield f"throughput of the bare server's: {name}", f"≥ {THROUGHPUT_GOAL:.0%}", f"{worst:.0%}", worst >= THROUGHPUT_GOAL
    for name, pairs in results["reviews"].items():
        ratio = median(sorted(pair["server"]["half"]["p99_us"] / pair["bare"]["half"]["p99_us"] for pair in pairs))
        yield f"99 % latency at half load, of the bare server's: {name}", f"< {P99_GOAL:g} ×", f"{ratio:.2f} ×", ratio < P99_GOAL
    ratio = median(size_ratio(results, -1))
    yield "100,000 policies against 10", f"≥ {SIZE_GOAL:.0%}", f"{ratio:.1%}", ratio >= SIZE_GOAL
    for size in results["sizes"]:
        goal = IDLE_GOALS_MIB.get(size["policies"])
        if goal:
            idle = size["idle_mib"]
            yield f"memory with {size['policies']:,} policies", f"≤ {goal} MiB", f"{idle:.1f} MiB", idle <= goal
    start_ms = median(results["starts"]["server_s"]) * 1000
    yield "start to ready with 1,000 policies", f"≤ {START_GOAL_MS} ms", f"{start_ms:.0f} ms", start_ms <= START_GOAL_MS


def goals(results):
    return table(["what", "goal", "measured", ""],
                 [[what, goal, measured, "reached" if reached else "missed"]
                  for what, goal, measured, reached in goal_rows(results)])


def about(results):
    machine, plan = results["machine"], results["plan"]
    bare_ms = median(results["starts"]["bare_s"]) * 1000
    memory = {name: median(pair[name]["memory_mib"] for pair in results["reviews"]["selected pod"])
              for name in ("bare", "server")}
    return "\n".join([
        f"- {machine['processor']}, {machine['cores']} cores{', virtual' if machine['virtual'] else ''}, "
        f"{machine['memory_gib']} GiB; {machine['system']}, Linux {machine['kernel']}",
        f"- {machine['compiler']}; libmicrohttpd {machine['libmicrohttpd']}, GnuTLS {machine['gnutls']}",
        f"- load before the run {machine['load_before']}, processor time taken by others of the host "
        f"{machine['stolen_percent']} %",
        f"- {plan['pairs']} pairs, {plan['sample_s']} s a sample; the bare server starts in {bare_ms:.0f} ms; memory "
        f"after the load {memory['bare']:.1f} MiB (bare), {memory['server']:.1f} MiB (server); "
        f"{bytes_per_policy(results):.0f} bytes a policy",
    ])


def text(results):
    parts = [("Goals", goals), ("Throughput", throughput), ("Latency at half load", latency), ("Steps", steps),
             ("Sizes", sizes), ("Changes", churn), ("About", about)]
    return "\n\n".join(f"### {title}\n\n{part(results)}" for title, part in parts)


def data_block(name, rows):
    """For gnuplot: a name in quotes, then numbers."""
    lines = [" ".join([f'"{title}"', *map(str, numbers)]) for title, *numbers in rows]
    return "\n".join([f"${name} << END", *lines, "END"])


def plot(results, path):
    """Draws `path`, an SVG."""
    def short(name):
        return name.replace(" pod", "\\npod").replace(" node", "\\nnode")

    p99 = {name: sorted(pair["server"]["half"]["p99_us"] / pair["bare"]["half"]["p99_us"] for pair in pairs)
           for name, pairs in results["reviews"].items()}
    per_core = {name: ratios(pairs, speed) for name, pairs in results["reviews"].items()}
    blocks = [
        data_block("throughput", [[short(name), median(of), of[0], of[-1]] for name, of in per_core.items()]),
        data_block("latency", [[short(name), median(of), of[0], of[-1]] for name, of in p99.items()]),
        data_block("steps", [[short(name), step["decode_ns"] / 1000, step["decide_ns"] / 1000, step["encode_ns"] / 1000,
                              step["jansson_ns"] / 1000]
                             for name, step in results["steps"].items() if step["bytes"] < 100_000]),
        f"throughput_goal = {THROUGHPUT_GOAL}", f"latency_goal = {P99_GOAL}", f'output = "{path}"',
        PLOT_SCRIPT.read_text(),
    ]
    subprocess.run(["gnuplot"], input="\n".join(blocks), text=True, check=True, timeout=60)


def put_into_page(results, path):
    before, begin, rest = path.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{path}: the marks of the results are missing")
    path.write_text(f"{before}{begin}\n{text(results)}\n\n{end}{after}")


if __name__ == "__main__":
    measured = json.loads(RESULTS.read_text())
    put_into_page(measured, PAGE)
    plot(measured, PLOT)
