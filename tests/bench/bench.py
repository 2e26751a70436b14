#!/usr/bin/env python3
"""Measures the product beside its peers, in one run, and prints a table; see README.md.

    bench.py [--size 150MB] [--rounds 3] [--seconds 3] [--json FILE]
"""

import argparse
import csv
import datetime
import http.client
import json
import os
import platform
import re
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import harness  # noqa: E402

BUILD = os.path.join(harness.ROOT, "build", "bench")
CONNECTIONS = 8
COUNT_PATH = "/v1/datasets/games/rows?about_game__contains=dragon&limit=1&fields=app_id"
STATS_PATH = "/v1/datasets/games/stats?column=all&price__gt=1"
ROWS_PATH = "/v1/datasets/games/rows"
# What an analyst's afternoon asks of a worker; "{key}" is another row each time.
MIXED_PATHS = [
    ROWS_PATH + "/{key}", COUNT_PATH, STATS_PATH,
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


def sample_keys(path, count=1000):
    with open(path, newline="", encoding="utf-8") as f:
        rows = csv.reader(f)
        next(rows)
        return [row[1] for _, row in zip(range(count), rows)]


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def p99_ms(seconds):
    return 1000 * sorted(seconds)[int(0.99 * (len(seconds) - 1))]


class Poller(threading.Thread):
    """One client that asks again every 5 ms on a kept connection; its latencies in seconds."""

    def __init__(self, server, path):
        super().__init__()
        self.server, self.path = server, path
        self.seconds, self.is_over = [], threading.Event()

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        headers = {"X-API-Key": self.server.admin_key}
        while not self.is_over.wait(0.005):
            began = time.perf_counter()
            connection.request("GET", self.path, headers=headers)
            answer = connection.getresponse()
            answer.read()
            self.seconds.append(time.perf_counter() - began)
            assert answer.status == 200, (self.path, answer.status)
        connection.close()

    def stop(self):
        self.is_over.set()
        self.join()
        return p99_ms(self.seconds)


class PeakMemory(threading.Thread):
    """The largest resident set of the load child, from the kernel's own high-water mark."""

    def __init__(self, server):
        super().__init__()
        self.server, self.bytes, self.is_over = server, 0, threading.Event()

    def run(self):
        pids = []
        while not self.is_over.wait(0.01):
            pids = [pid for pid in pids if harness.name(pid)] or self.server.pids("load")
            for pid in pids:
                try:
                    with open(f"/proc/{pid}/status", encoding="ascii") as f:
                        match = re.search(r"VmHWM:\s+(\d+) kB", f.read())
                except OSError:
                    continue
                if match:
                    self.bytes = max(self.bytes, int(match[1]) * 1024)

    def stop(self):
        self.is_over.set()
        self.join()
        return self.bytes


def process_kb(pid, file, field):
    """A figure of /proc/PID/FILE in kB; 0 when the process is gone."""
    try:
        with open(f"/proc/{pid}/{file}", encoding="ascii") as f:
            return int(re.search(rf"^{field}:\s+(\d+) kB", f.read(), re.M)[1])
    except OSError:
        return 0


def worker_memory(server):
    """What the largest query worker has of its own; mapped files are the kernel's to take."""
    return max(process_kb(pid, "status", "RssAnon") for pid in server.pids("query")) / 1e3


class WorkerMemory(threading.Thread):
    """The most that a query worker has of its own until stopped."""

    def __init__(self, server):
        super().__init__()
        self.server, self.most, self.is_over = server, 0, threading.Event()

    def run(self):
        while not self.is_over.wait(0.01):
            self.most = max(self.most, worker_memory(self.server))

    def stop(self):
        self.is_over.set()
        self.join()
        return self.most


def upload(server, path):
    """Sends the file as a raw body; (job, seconds from the last byte to the whole answer)."""
    size = os.path.getsize(path)
    with socket.create_connection(("127.0.0.1", server.port), 60) as s, open(path, "rb") as f:
        s.sendall(f"POST /v1/datasets/games/imports HTTP/1.1\r\nHost: bench\r\n"
                  f"X-API-Key: {server.admin_key}\r\nContent-Type: text/csv\r\n"
                  f"Content-Length: {size}\r\nConnection: close\r\n\r\n".encode())
        s.sendfile(f, 0, size - 1)
        f.seek(size - 1)
        s.sendall(f.read())
        began = time.perf_counter()
        answer = b"".join(iter(lambda: s.recv(65536), b""))
        seconds = time.perf_counter() - began
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b" 202 " in head.split(b"\r\n")[0], answer[:500]
    if b"chunked" in head.lower():
        body = b"{" + body.partition(b"{")[2].rpartition(b"}")[0] + b"}"
    return json.loads(body), seconds


def measure_import(server, path, key, results):
    memory = PeakMemory(server)
    memory.start()
    job, accepted = upload(server, path)
    pollers = [Poller(server, f"/v1/jobs/{job['id']}")]
    if key:
        pollers.append(Poller(server, f"/v1/datasets/games/rows/{key}"))
    for poller in pollers:
        poller.start()
    done = server.wait_job(job, timeout=600)
    p99s = [poller.stop() for poller in pollers]
    assert done["state"] == "succeeded", done
    results["import, s"].append(moment(done["finished_at"]) - moment(done["started_at"]))
    results["202 after the last byte, s"].append(accepted)
    results["peak memory of the load child, MB"].append(memory.stop() / 1e6)
    results["status poll p99 while importing, ms"].append(p99s[0])
    if key:
        results["row by key p99 while importing, ms"].append(p99s[1])


def measure_sqlite(path, results):
    database = os.path.join(BUILD, "peer.db")
    for end in ("", "-wal", "-shm", "-journal"):
        if os.path.exists(database + end):
            os.unlink(database + end)
    began = time.perf_counter()
    subprocess.run(["sqlite3", database, ".mode csv", f".import {path} games"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=600)
    results["sqlite3 .import, s"].append(time.perf_counter() - began)
    os.unlink(database)


def measure_idle(server, key, seconds, results):
    poller = Poller(server, f"/v1/datasets/games/rows/{key}")
    poller.start()
    time.sleep(seconds)
    results["row by key p99 idle, ms"].append(poller.stop())


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
    results[f"export of all rows as {form}, MB/s"].append(
        size / 1e6 / (time.perf_counter() - began))
    results["own memory of a worker that exports, most, MB"].append(memory.stop())


def measure_mixed(server, keys, results):
    for i in range(200):
        answer = server.get(MIXED_PATHS[i % len(MIXED_PATHS)].format(key=keys[i]))
        assert answer.status_code == 200, answer.text
    results["own memory of a worker after 200 requests, MB"].append(worker_memory(server))


def measure_idle_memory(path, results):
    """The product as it is shipped, with a dataset and after its first requests."""
    server = harness.Server({}, query_workers=8, play_workers=24).start()
    try:
        server.wait_job(upload(server, path)[0], timeout=600)
        assert server.get(ROWS_PATH).status_code == 200
        time.sleep(2)
        pids = [server.pid, *harness.descendants(server.pid)]
        results["idle memory of the whole product, MB PSS"].append(
            sum(process_kb(pid, "smaps_rollup", "Pss") for pid in pids) / 1e3)
    finally:
        server.close()


def engine_ms(server, path):
    """What the worker says it took, of 30 requests the median."""
    times = []
    for _ in range(30):
        answer = server.get(path)
        assert answer.status_code == 200, answer.text
        times.append(float(re.search(r"app;dur=([0-9.]+)", answer.headers["Server-Timing"])[1]))
    return statistics.median(times)


def cpu_seconds(roots):
    """What those processes and all below them have used so far."""
    ticks = 0
    for pid in {p for root in roots for p in (root, *harness.descendants(root))}:
        with open(f"/proc/{pid}/stat", encoding="latin-1") as f:
            fields = f.read().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def wrk(port, key, script, seconds, roots):
    """(requests per second, microseconds of CPU that the servers under `roots` used for one)"""
    before = cpu_seconds(roots)
    output = subprocess.run(
        ["wrk", "-t2", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", script,
         "-H", f"X-API-Key: {key}", f"http://127.0.0.1:{port}/"],
        stdout=subprocess.PIPE, text=True, check=True, timeout=seconds + 60).stdout
    assert "Non-2xx" not in output, output
    used = cpu_seconds(roots) - before
    count = int(re.search(r"(\d+) requests in", output)[1])
    return float(re.search(r"Requests/sec:\s+([0-9.]+)", output)[1]), 1e6 * used / count


class EmptyResponder:
    """The same nginx configuration in front of workers that do nothing."""

    def __init__(self, server, workers):
        self.folder = os.path.join(server.base, "empty")
        os.makedirs(os.path.join(self.folder, "run"))
        os.chmod(self.folder, 0o755)
        self.port = harness.free_port()
        program = os.path.join(BUILD, "empty_responder")
        subprocess.run([os.environ.get("CC", "gcc"), "-O2", "-D_GNU_SOURCE", "-o", program,
                        os.path.join(harness.ROOT, "tests/bench/empty_responder.c"), "-lfcgi"],
                       check=True, timeout=60)
        socket_path = os.path.join(self.folder, "run", "query.sock")
        self.processes = [subprocess.Popen([program, socket_path, str(workers)])]
        server.wait_for(lambda: os.path.exists(socket_path))
        self.start_nginx(server)

    def start_nginx(self, server):
        prefix = os.path.join(self.folder, "nginx")
        shutil.copytree(os.path.join(server.data, "nginx", "conf"), os.path.join(prefix, "conf"))
        for name in ("body", "fastcgi", "unused", "logs", "../logs"):
            os.makedirs(os.path.join(prefix, name), mode=0o777, exist_ok=True)
            os.chmod(os.path.join(prefix, name), 0o777)
        with open(os.path.join(prefix, "conf", "listen.conf"), "w", encoding="ascii") as f:
            f.write(f"listen 127.0.0.1:{self.port};\n")
        # Without the supervisor's listening sockets: nginx opens its own.
        environment = {k: v for k, v in os.environ.items() if k != "NGINX"}
        nginx = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
        self.processes.append(subprocess.Popen(
            [nginx, "-p", prefix + "/", "-c", os.path.join(prefix, "conf", "nginx.conf")],
            cwd=self.folder, env=environment))

        def answers():
            with socket.socket() as s:
                return s.connect_ex(("127.0.0.1", self.port)) == 0
        server.wait_for(answers)

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
            process.wait(10)


def measure_row_by_key(server, keys, rounds, seconds, results):
    script = os.path.join(server.base, "keys.lua")
    with open(script, "w", encoding="ascii") as f:
        f.write("local keys = {" + ",".join(keys) + "}\nlocal i = 0\nrequest = function()\n"
                "  i = i % #keys + 1\n"
                '  return wrk.format("GET", "/v1/datasets/games/rows/" .. keys[i])\nend\n')
    empty = EmptyResponder(server, 8)
    try:
        for _ in range(rounds):
            for name, port, roots in (
                    ("empty responder", empty.port, [p.pid for p in empty.processes]),
                    ("row by key", server.port, [server.pid])):
                rate, cpu = wrk(port, server.admin_key, script, seconds, roots)
                results[f"{name} c=8, requests/s"].append(rate)
                results[f"{name} c=8, CPU us per request"].append(cpu)
    finally:
        empty.stop()


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        model = re.search(r"model name\s*: (.*)", f.read())
    with open("/proc/loadavg", encoding="ascii") as f:
        load = f.read().split()[0]
    return {"cpu": model[1] if model else platform.machine(), "cores": os.cpu_count(),
            "kernel": platform.release(), "load_before": load,
            "sqlite3": subprocess.run(["sqlite3", "--version"], stdout=subprocess.PIPE,
                                      text=True, check=True).stdout.split()[0]}


RATIOS = [
    ("import / sqlite3 .import", "import, s", "sqlite3 .import, s"),
    ("row by key / empty responder", "row by key c=8, requests/s",
     "empty responder c=8, requests/s"),
    ("empty responder / row by key, CPU", "empty responder c=8, CPU us per request",
     "row by key c=8, CPU us per request"),
]


def report(about, results, json_path):
    print(f"{about['cpu']}, {about['cores']} cores, Linux {about['kernel']}, "
          f"load {about['load_before']} before, SQLite {about['sqlite3']}")
    print(f"\n{'':<48}{'median':>12}{'least':>12}{'most':>12}{'n':>4}")
    for name, values in results.items():
        if values:
            print(f"{name:<48}{statistics.median(values):>12.3f}{min(values):>12.3f}"
                  f"{max(values):>12.3f}{len(values):>4}")
    ratios = {}
    for name, above, below in RATIOS:
        if results[above] and results[below]:
            ratios[name] = statistics.median(results[above]) / statistics.median(results[below])
            print(f"{name:<48}{ratios[name]:>12.3f}")
    if json_path:
        with open(json_path, "w", encoding="utf-8") as f:
            json.dump({"machine": about, "results": results, "ratios": ratios}, f, indent=2)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", default="150MB")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3, help="per load measurement")
    parser.add_argument("--json", default=os.path.join(BUILD, "bench.json"))
    arguments = parser.parse_args()

    os.makedirs(BUILD, exist_ok=True)
    about = machine()
    path = games_file(arguments.size)
    keys = sample_keys(path)
    results = {name: [] for name in (
        "import, s", "sqlite3 .import, s", "202 after the last byte, s",
        "peak memory of the load child, MB", "status poll p99 while importing, ms",
        "row by key p99 while importing, ms", "row by key p99 idle, ms",
        "row by key c=8, requests/s", "empty responder c=8, requests/s",
        "row by key c=8, CPU us per request", "empty responder c=8, CPU us per request",
        "count of a substring, engine ms", "statistics of 4 columns, filtered, engine ms",
        "export of all rows as csv, MB/s", "export of all rows as ndjson, MB/s",
        "own memory of a worker that exports, most, MB",
        "own memory of a worker after 200 requests, MB",
        "idle memory of the whole product, MB PSS")}
    settings = {"imports.file_bytes_max": str(max(os.path.getsize(path), 157286400))}
    server = harness.Server(settings, query_workers=8, play_workers=2).start()
    try:
        # The first import has no version to read beside it and files to warm: not counted.
        server.wait_job(upload(server, path)[0], timeout=600)
        for _ in range(arguments.rounds):
            measure_sqlite(path, results)
            measure_import(server, path, keys[0], results)
            measure_idle(server, keys[0], arguments.seconds, results)
            results["count of a substring, engine ms"].append(engine_ms(server, COUNT_PATH))
            results["statistics of 4 columns, filtered, engine ms"].append(
                engine_ms(server, STATS_PATH))
            for form in ("csv", "ndjson"):
                measure_export(server, form, results)
            measure_mixed(server, keys, results)
        measure_row_by_key(server, keys, arguments.rounds, arguments.seconds, results)
    finally:
        server.close()
    for _ in range(arguments.rounds):
        measure_idle_memory(path, results)
    report(about, results, arguments.json)


if __name__ == "__main__":
    main()
