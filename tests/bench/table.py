"""The lines of the table, what each has to reach, and how they are printed."""

import json
import os
import platform
import re
import statistics
from collections import namedtuple

import narrow
import players
import reports

# at_most, at_least: of the product's median.  of: of the peer's, by how much (a factor).
Target = namedtuple("Target", "at_most at_least of", defaults=[None, None, None])
US = "Playmeter"

TARGETS = {
    "import, s": [Target(at_most=1.2, of="sqlite3 shell")],
    "peak memory of the load child, MB": [Target(at_most=250)],
    "status poll p99 while importing, ms": [Target(at_most=20)],
    "row by key p99 while importing, ms": [Target(at_most=20)],
    "files of a version, MB": [Target(at_most=2.5, of="the CSV")],
    "export of all rows as csv, MB/s": [Target(at_least=700)],
    "export as csv, packed, s": [Target(at_most=1 / 3, of="gzip -1")],
    "balance p50 beside two packed exports, ms": [Target(at_most=1)],
    "earn p99 beside two packed exports, ms": [Target(at_most=10)],
    "count of a substring, engine ms": [Target(at_most=1)],
    "count of two letters, engine ms": [Target(at_most=0.1)],
    "count of a phrase of common words, engine ms": [Target(at_most=4)],
    "count of a substring, HTTP c=1 p50, ms": [Target(at_most=1.5)],
    # 100 times Datasette, which did 25 of them in a second on such a machine.
    "count of a substring, HTTP c=8, requests/s": [Target(at_least=2500)],
    "row by key c=8, requests/s": [Target(at_least=0.85, of="empty responder")],
    "statistics of 4 columns, filtered, engine ms": [Target(at_most=1.3)],
    "similar games, top 10, engine ms": [Target(at_most=1)],
    "title with a typing error, engine ms": [Target(at_most=1.5)],
    "idle memory without data, MB PSS": [Target(at_most=45)],
    "idle memory of the whole product, MB PSS": [Target(at_most=50)],
    narrow.IMPORT: [Target(at_most=0.4, of="sqlite3 shell"), Target(at_most=2, of="DuckDB")],
    narrow.KEYED: [Target(at_most=1.3, of="the same without")],
    narrow.KEYED_MEMORY: [Target(at_most=350)],
    narrow.FILES: [Target(at_most=1.5, of="the CSV")],
    **{line: [Target(at_most=0.25, of="DuckDB")]
       for line in (narrow.GROUPS, narrow.FACETS, narrow.HISTOGRAM)},
    **{f"durable earn c={clients}, HTTP, requests/s": [Target(at_least=least, of=players.ALONE)]
       for clients, least in ((1, 0.7), (8, 2), (32, 3))},
    **{f"durable earn c={clients}, {where} p99, ms": [Target(at_most=10)]
       for clients in (8, 32) for where in players.PLACES},
    **{f"events in batches of {players.BATCH}, {where}, events/s": [Target(at_least=350_000)]
       for where in players.PLACES},
    reports.SECONDS: [Target(at_most=10)],
    reports.MEMORY: [Target(at_most=500)],
}


class Results:
    """(line, who) -> samples, in the order in which the lines were first measured."""

    def __init__(self):
        self.samples = {}

    def add(self, line, value, who=US):
        self.samples.setdefault(line, {}).setdefault(who, []).append(value)

    def median(self, line, who=US):
        values = self.samples.get(line, {}).get(who)
        return statistics.median(values) if values else None


def verdict(line, results):
    """"<= 3: reached"; "" without a target."""
    return "; ".join(verdict_of(target, line, results) for target in TARGETS.get(line, []))


def verdict_of(target, line, results):
    value, unit = results.median(line), ""
    if target.of:
        peer = results.median(line, target.of)
        if not peer:
            return f"no {target.of} to compare with"
        value, unit = value / peer, f" x {target.of}"
    bound = target.at_most if target.at_least is None else target.at_least
    sign = "<=" if target.at_least is None else ">="
    is_reached = value <= bound if sign == "<=" else value >= bound
    return f"{sign} {round(bound, 2):g}{unit}: {'reached' if is_reached else 'NOT REACHED'}"


def ratio(line, results, who):
    """How many times better the product is than that peer."""
    ours, theirs = results.median(line), results.median(line, who)
    if not ours or not theirs:
        return None
    return ours / theirs if line.endswith("/s") else theirs / ours


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        model = re.search(r"model name\s*: (.*)", f.read())
    with open("/proc/meminfo", encoding="ascii") as f:
        memory = int(re.search(r"MemTotal:\s+(\d+)", f.read())[1]) / 1e6
    return {"cpu": model[1] if model else platform.machine(), "cores": os.cpu_count(),
            "memory_gb": round(memory, 1), "kernel": platform.release(),
            "load": {"before": os.getloadavg()[0]}, "peers": []}


def report(about, results, json_path):
    print(f"{about['cpu']}, {about['cores']} cores, {about['memory_gb']} GB, "
          f"Linux {about['kernel']}, load {about['load']['before']:.1f} before and "
          f"{os.getloadavg()[0]:.1f} after; {', '.join(about['peers'])}")
    print(f"\n{'':<58}{'median':>11}{'least':>11}{'most':>11}{'n':>4}{'better by':>11}  target")
    ratios = {}
    for line, by_who in results.samples.items():
        if US not in by_who:
            print(line)
        for who, values in sorted(by_who.items(), key=lambda item: item[0] != US):
            title, last = (line, verdict(line, results)) if who == US else ("    " + who, "")
            better = ratio(line, results, who) if who != US else None
            if better:
                ratios.setdefault(line, {})[who] = better
            print(f"{title:<58}{statistics.median(values):>11.3f}{min(values):>11.3f}"
                  f"{max(values):>11.3f}{len(values):>4}"
                  f"{f'{better:.2f} x' if better else '':>11}  {last}".rstrip())
    about["load"]["after"] = os.getloadavg()[0]
    with open(json_path, "w", encoding="utf-8") as f:
        json.dump({"machine": about, "results": results.samples, "better_by": ratios,
                   "targets": {line: verdict(line, results) for line in results.samples}}, f,
                  indent=2)
