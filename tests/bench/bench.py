#!/usr/bin/python3
"""Measures the product beside its peers, in one run, and prints a table; see README.md.

    bench.py [--size 150MB] [--rounds 3] [--seconds 2] [--json FILE] [--growth]
             [--only players|reports]
"""

import argparse
import csv
import os
import re
import statistics
import subprocess
import time

import growth
import peers
import players
import questions
import reports
import table
from probe import (BUILD, EmptyResponder, PeakMemory, Poller, WorkerMemory, harness, moment,
                   process_kb, upload, worker_memory, wrk)

CONNECTIONS = 8
ASKED = 30  # times in a row of the product, per round
PEER_ASKED = 3
ROWS_PATH = "/v1/datasets/games/rows"
# What an analyst's afternoon asks of a worker; "{key}" is another row each time.
MIXED_PATHS = [
    ROWS_PATH + "/{key}", questions.COUNT_PATH, questions.STATS_PATH,
    ROWS_PATH + "?sort=-price,name&limit=1000", ROWS_PATH + "?limit=1000",
    ROWS_PATH + "?genres__has=Indie&sort=release_date&limit=50",
    "/v1/datasets/games/stats?column=all", "/v1/datasets/games",
    ROWS_PATH + "?q=dragon%20castle", "/api/query?name=dragon&limit=10",
]


def games_file(size):
    path = os.path.join(BUILD, f"games-{size}.csv")
    if not os.path.exists(path):
        with open(path + ".new", "wb") as f:
            subprocess.run([os.path.join(harness.ROOT, "scripts/make-games-csv"), size],
                           stdout=f, check=True, timeout=1800)
        os.rename(path + ".new", path)
    return path


def sample_rows(path, count=1000):
    """(key, name) of the first rows, which stand at the same place in every peer."""
    with open(path, newline="", encoding="utf-8") as f:
        rows = csv.reader(f)
        next(rows)
        return [(row[1], row[2]) for _, row in zip(range(count), rows)]


def measure_import(server, path, key, results):
    memory = PeakMemory(server)
    memory.start()
    job, accepted = upload(server, path)
    pollers = {"status poll": Poller(server, f"/v1/jobs/{job['id']}"),
               "row by key": Poller(server, f"{ROWS_PATH}/{key}")}
    for poller in pollers.values():
        poller.start()
    done = server.wait_job(job, timeout=600)
    p99s = {name: poller.stop() for name, poller in pollers.items()}
    assert done["state"] == "succeeded", done
    results.add("import, s", moment(done["finished_at"]) - moment(done["started_at"]))
    results.add("202 after the last byte, s", accepted)
    results.add("peak memory of the load child, MB", memory.stop() / 1e6)
    for name, p99 in p99s.items():
        results.add(f"{name} p99 while importing, ms", p99)


def measure_idle(server, key, seconds, results):
    poller = Poller(server, f"{ROWS_PATH}/{key}")
    poller.start()
    time.sleep(seconds)
    results.add("row by key p99 idle, ms", poller.stop())


def measure_export(server, form, results):
    """All rows as one file, read as fast as it comes."""
    memory = WorkerMemory(server)
    memory.start()
    began, size = time.perf_counter(), 0
    with server.get(ROWS_PATH, params={"format": form}, stream=True, timeout=600,
                    headers={"Accept-Encoding": "identity"}) as answer:
        assert answer.status_code == 200, answer.text
        for piece in answer.raw.stream(1 << 20, decode_content=False):
            size += len(piece)
    results.add(f"export of all rows as {form}, MB/s", size / 1e6 / (time.perf_counter() - began))
    results.add("own memory of a worker that exports, most, MB", memory.stop())


def measure_mixed(server, rows, results):
    for i in range(200):
        answer = server.get(MIXED_PATHS[i % len(MIXED_PATHS)].format(key=rows[i][0]))
        assert answer.status_code == 200, answer.text
    results.add("own memory of a worker after 200 requests, MB", worker_memory(server))


def measure_idle_memory(path, results):
    """The product as it is shipped, with a dataset and after its first requests."""
    server = harness.Server({}, query_workers=8, play_workers=24).start()
    try:
        server.wait_job(upload(server, path)[0], timeout=600)
        assert server.get(ROWS_PATH).status_code == 200
        time.sleep(2)
        pids = [server.pid, *harness.descendants(server.pid)]
        results.add("idle memory of the whole product, MB PSS",
                    sum(process_kb(pid, "smaps_rollup", "Pss") for pid in pids) / 1e3)
    finally:
        server.close()


def ask(server, path):
    """(what the worker says it took in ms, the answer)"""
    answer = server.get(path)
    assert answer.status_code == 200, answer.text
    return (float(re.search(r"app;dur=([0-9.]+)", answer.headers["Server-Timing"])[1]),
            answer.json())


def check_questions(server, by_name, rows):
    """The product and each peer give the same answer; also warms all of them."""
    for question in questions.QUESTIONS:
        for i in (0, 1, 2) if "{" in question.path else (0,):
            ours = ask(server, questions.path_for(question, rows[i]))[1]
            for name, how in question.peers.items():
                if name in by_name:
                    questions.check_equal(question.line, question.pick(ours), name,
                                          by_name[name].ask(how, i)[1], question.close)


def measure_question(server, question, by_name, rows, first, results):
    """Rows from `first` on by turns, for the questions that are about one."""
    results.add(question.line, statistics.median(
        ask(server, questions.path_for(question, rows[first + i]))[0] for i in range(ASKED)))
    for name, how in question.peers.items():
        if name in by_name:
            results.add(question.line, statistics.median(
                by_name[name].ask(how, first + i)[0] for i in range(PEER_ASKED)), name)


def measure_load(server, rows, rounds, seconds, results):
    key_paths = [f"{ROWS_PATH}/{key}" for key, _ in rows]
    empty = EmptyResponder(server, CONNECTIONS)
    empty_roots = [p.pid for p in empty.processes]

    def load(port, paths, connections, roots):
        return wrk(port, server.admin_key, paths, seconds, connections, roots, server.base)
    try:
        for _ in range(rounds):
            for who, port, roots in (("empty responder", empty.port, empty_roots),
                                     (table.US, server.port, [server.pid])):
                rate, _, cpu = load(port, key_paths, CONNECTIONS, roots)
                results.add("row by key c=8, requests/s", rate, who)
                results.add("row by key c=8, CPU us per request", cpu, who)
            count = [questions.COUNT_PATH]
            results.add("count of a substring, HTTP c=1 p50, ms",
                        load(server.port, count, 1, [server.pid])[1])
            results.add("count of a substring, HTTP c=8, requests/s",
                        load(server.port, count, CONNECTIONS, [server.pid])[0])
    finally:
        empty.stop()


def run(arguments, path, results):
    rows = sample_rows(path)
    database = os.path.join(BUILD, "peer.db")
    settings = {"imports.file_bytes_max": str(max(os.path.getsize(path), 157286400))}
    server = harness.Server(settings, query_workers=8, play_workers=2).start()
    by_name = {}
    try:
        # The first import has no version to read beside it and files to warm: not counted.
        server.wait_job(upload(server, path)[0], timeout=600)
        for _ in range(arguments.rounds):
            measure_import(server, path, rows[0][0], results)
            results.add("import, s", peers.import_by_shell(path, database), "sqlite3 shell")
            measure_idle(server, rows[0][0], arguments.seconds, results)
            for form in ("csv", "ndjson"):
                measure_export(server, form, results)
            measure_mixed(server, rows, results)
        # No peer lies in memory before: they would take it from the imports.
        by_name = peers.start(path, database)
        about = table.machine(by_name.values())
        about["load"]["before"] = arguments.load_before
        check_questions(server, by_name, rows)
        if "scikit-learn" in by_name:
            results.add("fit of the likeness alone, s", by_name["scikit-learn"].fit_s, "scikit-learn")
        for i in range(arguments.rounds):
            for question in questions.QUESTIONS:
                measure_question(server, question, by_name, rows, i * ASKED, results)
        measure_load(server, rows, arguments.rounds, arguments.seconds, results)
    finally:
        for peer in by_name.values():
            peer.close()
        server.close()
        if os.path.exists(database):
            os.unlink(database)
    for _ in range(arguments.rounds):
        measure_idle_memory(path, results)
    return about


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", default="150MB")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=2, help="per load measurement")
    parser.add_argument("--json", default=os.path.join(BUILD, "bench.json"))
    parser.add_argument("--growth", action="store_true",
                        help="the cost of a row at 15 MB, 150 MB and 1.5 GB instead: minutes")
    parser.add_argument("--only", choices=["players", "reports"],
                        help="the writes of players, or the reports, alone: half a minute")
    arguments = parser.parse_args()
    arguments.load_before = os.getloadavg()[0]

    os.makedirs(BUILD, exist_ok=True)
    if arguments.growth:
        growth.run(games_file, arguments.rounds, arguments.json.replace(".json", "-growth.json"))
        return
    results = table.Results()
    if arguments.only:
        about = table.machine([])
        about["load"]["before"] = arguments.load_before
    else:
        about = run(arguments, games_file(arguments.size), results)
    if arguments.only != "reports":
        players.run(arguments.rounds, arguments.seconds, results)
    if arguments.only != "players":
        reports.run(arguments.rounds, results)
    table.report(about, results, arguments.json)


if __name__ == "__main__":
    main()
