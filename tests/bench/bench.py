#!/usr/bin/python3
"""Measures the product beside its peers, in one run, and prints a table; see README.md.

    bench.py [--size 150MB] [--rounds 3] [--seconds 2] [--json FILE] [--growth]
             [--only games|narrow|players|reports]
"""

import argparse
import csv
import os
import subprocess
import threading
import time

import growth
import narrow
import peers
import players
import questions
import reports
import table
from probe import (BUILD, EmptyResponder, PeakMemory, Poller, WorkerMemory, harness,
                   import_seconds, process_kb, upload, version_bytes, wait_quietly, worker_memory,
                   wrk)

CONNECTIONS = 8
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


def measure_import(server, path, database, results):
    """The product and the shell by turns, each alone on the machine."""
    job, accepted = upload(server, path)
    results.add("202 after the last byte, s", accepted)
    results.add("import, s", import_seconds(wait_quietly(server, job)))
    results.add("import, s", peers.import_by_shell(path, database), "sqlite3 shell")


def measure_beside_import(server, path, key, results):
    """What goes on while an import runs.  Looking costs the import something, so that its own time
    is that of another one."""
    memory = PeakMemory(server)
    memory.start()
    job, _ = upload(server, path)
    pollers = {"status poll": Poller(server, f"/v1/jobs/{job['id']}"),
               "row by key": Poller(server, f"{ROWS_PATH}/{key}")}
    for poller in pollers.values():
        poller.start()
    wait_quietly(server, job)
    for name, poller in pollers.items():
        results.add(f"{name} p99 while importing, ms", poller.stop())
    results.add("peak memory of the load child, MB", memory.stop() / 1e6)


def measure_idle(server, key, seconds, results):
    poller = Poller(server, f"{ROWS_PATH}/{key}")
    poller.start()
    time.sleep(seconds)
    results.add("row by key p99 idle, ms", poller.stop())


def export(server, form, encoding="identity"):
    """(bytes, seconds) of all rows as one file, read as fast as it comes."""
    done = subprocess.run(
        ["curl", "-sS", "--fail", "--noproxy", "*", "-o", os.devnull, "-w",
         "%{size_download} %{time_total}", "-H", f"X-API-Key: {server.admin_key}", "-H",
         f"Accept-Encoding: {encoding}", f"{server.url}{ROWS_PATH}?format={form}"],
        stdout=subprocess.PIPE, text=True, check=True, timeout=600).stdout.split()
    return int(done[0]), float(done[1])


def measure_exports(server, path, results):
    for form in ("csv", "ndjson"):
        size, seconds = export(server, form)
        results.add(f"export of all rows as {form}, MB/s", size / 1e6 / seconds)
    results.add("export as csv, packed, s", export(server, "csv", "gzip")[1])
    results.add("export as csv, packed, s", peers.gzip_seconds(path), "gzip -1")
    # Apart from the times above, since looking costs something.
    memory = WorkerMemory(server)
    memory.start()
    export(server, "csv")
    results.add("own memory of a worker that exports, most, MB", memory.stop())


def measure_mixed(server, rows, results):
    for i in range(200):
        answer = server.get(MIXED_PATHS[i % len(MIXED_PATHS)].format(key=rows[i][0]))
        assert answer.status_code == 200, answer.text
    results.add("own memory of a worker after 200 requests, MB", worker_memory(server))


def measure_idle_memory(path, results):
    """The product as it is shipped: before it has data, and with a dataset after its first page."""
    server = harness.Server({}, query_workers=8, play_workers=24).start()

    def add(line):
        time.sleep(2)
        pids = [server.pid, *harness.descendants(server.pid)]
        results.add(line, sum(process_kb(pid, "smaps_rollup", "Pss") for pid in pids) / 1e3)
    try:
        add("idle memory without data, MB PSS")
        wait_quietly(server, upload(server, path)[0])
        assert server.get(ROWS_PATH).status_code == 200
        add("idle memory of the whole product, MB PSS")
    finally:
        server.close()


def measure_play_beside_exports(server, seconds, results):
    """A player's calls while two analysts take all rows away, packed, again and again."""
    player = {"Authorization": f"Bearer {server.player('ada').token}",
              "Content-Type": "application/json"}
    is_over = threading.Event()

    def take():
        while not is_over.is_set():
            export(server, "csv", "gzip")
    analysts = [threading.Thread(target=take) for _ in range(2)]
    balance = Poller(server, "/v1/balance", player)
    earn = Poller(server, "/v1/earn", player, '{"amount":1,"reason":"bench"}')
    for thread in (*analysts, balance, earn):
        thread.start()
    time.sleep(seconds)
    results.add("balance p50 beside two packed exports, ms", balance.stop(0.5))
    results.add("earn p99 beside two packed exports, ms", earn.stop())
    is_over.set()
    for thread in analysts:
        thread.join()


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
    settings = {"imports.file_bytes_max": str(max(os.path.getsize(path), 157286400))}
    server = harness.Server(settings, query_workers=8, play_workers=2).start()
    # On the disk that the product's data is on.
    database = os.path.join(server.base, "peer.db")
    by_name = {}
    try:
        # The first import has no version to read beside it and files to warm: not counted.
        wait_quietly(server, upload(server, path)[0])
        for _ in range(arguments.rounds):
            measure_import(server, path, database, results)
            measure_beside_import(server, path, rows[0][0], results)
            measure_idle(server, rows[0][0], arguments.seconds, results)
            measure_exports(server, path, results)
            measure_mixed(server, rows, results)
            measure_play_beside_exports(server, arguments.seconds, results)
        results.add("files of a version, MB", version_bytes(server) / 1e6)
        results.add("files of a version, MB", os.path.getsize(path) / 1e6, "the CSV")
        # No peer lies in memory before: they would take it from the imports.
        by_name = peers.start(path, database)
        questions.check(server, questions.GAMES, by_name, rows)
        if "scikit-learn" in by_name:
            results.add("fit of the likeness alone, s", by_name["scikit-learn"].fit_s, "scikit-learn")
        for i in range(arguments.rounds):
            questions.measure(server, questions.GAMES, by_name, rows, i * questions.ASKED, results)
        measure_load(server, rows, arguments.rounds, arguments.seconds, results)
    finally:
        for peer in by_name.values():
            peer.close()
        server.close()
    for _ in range(arguments.rounds):
        measure_idle_memory(path, results)
    return list(dict.fromkeys(peer.about for peer in by_name.values()))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", default="150MB")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=2, help="per load measurement")
    parser.add_argument("--json", default=os.path.join(BUILD, "bench.json"))
    parser.add_argument("--growth", action="store_true",
                        help="the cost of a row at 15 MB, 150 MB and 1.5 GB instead: minutes")
    parser.add_argument("--only", choices=["games", "narrow", "players", "reports"],
                        help="a part of it: the catalogue, the narrow file, players, reports")
    arguments = parser.parse_args()

    os.makedirs(BUILD, exist_ok=True)
    if arguments.growth:
        growth.run(games_file, arguments.rounds, arguments.json.replace(".json", "-growth.json"))
        return
    results = table.Results()
    about = table.machine()
    if arguments.only in (None, "games"):
        about["peers"] = run(arguments, games_file(arguments.size), results)
    if arguments.only in (None, "narrow"):
        about["peers"] += [a for a in narrow.run(arguments.rounds, results) if a not in about["peers"]]
    if arguments.only in (None, "players"):
        players.run(arguments.rounds, arguments.seconds, results)
    if arguments.only in (None, "reports"):
        reports.run(arguments.rounds, results)
    table.report(about, results, arguments.json)


if __name__ == "__main__":
    main()
