"""How to read a running product: latencies, memory, CPU, load; and the empty responder, which is
the product's nginx without the product."""

import collections
import datetime
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import harness  # noqa: E402

BUILD = os.path.join(harness.ROOT, "build", "bench")


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def percentile_ms(seconds, share):
    return 1000 * sorted(seconds)[int(share * (len(seconds) - 1))]


class Poller(threading.Thread):
    """One client that asks again every 5 ms on a kept connection; its latencies in seconds.  With a
    body it posts."""

    def __init__(self, server, path, headers=None, body=None):
        super().__init__()
        self.server, self.path, self.body = server, path, body
        self.headers = headers or {"X-API-Key": server.admin_key}
        self.seconds, self.is_over = [], threading.Event()

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        while not self.is_over.wait(0.005):
            began = time.perf_counter()
            connection.request("POST" if self.body else "GET", self.path, self.body, self.headers)
            answer = connection.getresponse()
            answer.read()
            self.seconds.append(time.perf_counter() - began)
            assert answer.status == 200, (self.path, answer.status)
        connection.close()

    def stop(self, share=0.99):
        """That percentile, in ms."""
        self.is_over.set()
        self.join()
        return percentile_ms(self.seconds, share)


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


def upload(server, path, imports="games/imports"):
    """Sends the file as a raw body; (job, seconds from the last byte to the whole answer)."""
    size = os.path.getsize(path)
    with socket.create_connection(("127.0.0.1", server.port), 60) as s, open(path, "rb") as f:
        s.sendall(f"POST /v1/datasets/{imports} HTTP/1.1\r\nHost: bench\r\n"
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


def wait_quietly(server, job):
    """The job when it has succeeded.  Asked so rarely that the import does not feel it: who polls one
    side of a comparison measures the polling."""
    while True:
        time.sleep(0.5)
        job = server.job(job)
        if job["state"] not in ("queued", "running"):
            assert job["state"] == "succeeded", job
            return job


def ask(server, path):
    """(what the worker says it took in ms, the answer)"""
    answer = server.get(path)
    assert answer.status_code == 200, answer.text
    return (float(re.search(r"app;dur=([0-9.]+)", answer.headers["Server-Timing"])[1]),
            answer.json())


def import_seconds(job):
    """From its start until the version is published."""
    return moment(job["finished_at"]) - moment(job["started_at"])


def version_bytes(server):
    """What the files of one version take of the disk; all versions are of the same rows."""
    root = os.path.join(server.data, "datasets")
    folders = [os.path.join(root, dataset, version) for dataset in os.listdir(root)
               for version in os.listdir(os.path.join(root, dataset))]
    return sum(os.stat(os.path.join(folders[0], name)).st_blocks * 512
               for name in os.listdir(folders[0]))


def cpu_seconds(roots):
    """What those processes and all below them have used so far."""
    ticks = 0
    for pid in {p for root in roots for p in (root, *harness.descendants(root))}:
        with open(f"/proc/{pid}/stat", encoding="latin-1") as f:
            fields = f.read().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


Load = collections.namedtuple("Load", "rate p50_ms p99_ms cpu_us")


def wrk(port, key, paths, seconds, connections, roots, folder):
    """(requests per second, p50 in ms, microseconds of CPU that the servers under `roots` used for
    one request); the paths by turns."""
    script = ("local paths = {" + ",".join(f'"{p}"' for p in paths) + "}\nlocal i = 0\n"
              "request = function()\n  i = i % #paths + 1\n"
              f'  return wrk.format("GET", paths[i], {{["X-API-Key"] = "{key}"}})\nend\n')
    load = wrk_script(port, script, seconds, connections, roots, folder)
    return load.rate, load.p50_ms, load.cpu_us


def wrk_script(port, script, seconds, connections, roots, folder):
    """What wrk does with a Lua script of requests; every answer has to be a good one."""
    path = os.path.join(folder, "wrk.lua")
    with open(path, "w", encoding="ascii") as f:
        f.write(script)
    before = cpu_seconds(roots)
    output = subprocess.run(
        ["wrk", f"-t{min(2, connections)}", f"-c{connections}", f"-d{seconds}s", "--latency",
         "-s", path, f"http://127.0.0.1:{port}/"],
        stdout=subprocess.PIPE, text=True, check=True, timeout=seconds + 60).stdout
    assert "Non-2xx" not in output, output
    used = cpu_seconds(roots) - before
    count = int(re.search(r"(\d+) requests in", output)[1])

    def percentile(which):
        found = re.search(rf"{which}%\s+([0-9.]+)(us|ms|s)", output)
        return float(found[1]) * {"us": 1e-3, "ms": 1, "s": 1e3}[found[2]]
    return Load(float(re.search(r"Requests/sec:\s+([0-9.]+)", output)[1]), percentile(50),
                percentile(99), 1e6 * used / count)


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
