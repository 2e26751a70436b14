"""Starts the real product on a free port with a data directory of its own, talks to it, and stops
exactly the processes it started.

    server = harness.Server({"limits.imports": "2/min burst 5"})
    server.start()
    server.import_csv("games", data, mode="append")       # waits; asserts that it succeeded
    server.get("/v1/datasets/games/rows", params={"limit": 1}).json()
    server.stop()
    with harness.Server() as server: ...                   # started, and in the end closed

Requests carry the admin key unless `key=None` (or another key) is given.  Settings are those of
conf/playmeter.yaml with the tests' own on top: limits that no test reaches, and URLs on loopback.
"""

import contextlib
import json
import os
import random
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time
from collections import Counter

import requests

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
START_SECONDS = 30
STOP_SECONDS = 30
# What a sanitizer or a failed assertion writes before it ends a process.
CRASH = re.compile(r"ERROR: \w+Sanitizer|: runtime error: |Assertion .* failed")

TEST_SETTINGS = {
    "limits.imports": "100000/min burst 100000",
    "limits.accounts": "100000/min burst 100000",
    "limits.reads": "100000/s burst 100000",
    "limits.play": "100000/s burst 100000",
    "limits.exports": "64",
    "limits.pages": "1024",
    "fetch.allow_loopback": "true",
    "fetch.connect_timeout": "2s",
    "fetch.total_timeout": "20s",
    "fetch.low_speed_time": "2s",
}


def binary():
    path = os.environ.get("PLAYMETER_BIN", os.path.join(ROOT, "build/release/playmeter"))
    return os.path.abspath(path)


def is_sanitized():
    return os.path.basename(os.path.dirname(binary())) == "asan"


SHARED = os.environ.get("PLAYMETER_SHARED", os.path.join(ROOT, "../shared"))


def shared(*parts):
    """A path in the folder of shared test data.  Where there is no such folder the test skips; from
    one that is there nothing may be missing."""
    if not os.path.isdir(SHARED):
        import pytest  # here, since others than tests use this module as well
        pytest.skip(f"there is no shared test data in {SHARED}")
    path = os.path.join(SHARED, *parts)
    assert os.path.exists(path), f"{path} is missing"
    return path


class Dice(random.Random):
    """Chance of a test: the same course for the same PLAYMETER_SEED, PLAYMETER_ROUNDS times as many
    rounds; and how often each branch that the test names was reached.  tests/unit/dice.h is the
    same for C."""

    SEED = os.environ.get("PLAYMETER_SEED", "20260131")
    FACTOR = int(os.environ.get("PLAYMETER_ROUNDS", "1"))

    def __init__(self, name):
        super().__init__(f"{self.SEED} {name}")
        self.name, self.reached = name, Counter()

    def rounds(self, count):
        return count * self.FACTOR

    def reach(self, branch, count=True):
        """A branch that is named and never reached fails the test."""
        self.reached[branch] += int(count)

    def __str__(self):
        counts = ", ".join(f"{branch} {n}" for branch, n in self.reached.items())
        return f"{self.name}, seed {self.SEED}" + (f": {counts}" if counts else "")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def configure(settings):
    """conf/playmeter.yaml with some of its `section.name` settings replaced."""
    with open(os.path.join(ROOT, "conf/playmeter.yaml"), encoding="utf-8") as f:
        text = f.read()
    for name, value in settings.items():
        section, key = name.split(".")
        text, count = re.subn(rf"(?m)^({section}:\n(?:(?:  .*)?\n)*?  {key}:)[^\n]*",
                              lambda m, v=value: f"{m[1]} {v}", text, count=1)
        assert count == 1, f"conf/playmeter.yaml has no setting {name}"
    return text


def parents():
    """pid -> (parent, state) of all processes."""
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="latin-1") as f:
                    # The command in parentheses may hold anything.
                    fields = f.read().rpartition(")")[2].split()
            except OSError:
                continue  # gone since
            found[int(name)] = (int(fields[1]), fields[0])
    return found


def descendants(pid):
    """Living children, their children and so on; parents before children."""
    table = parents()
    found, queue = [], [pid]
    while queue:
        parent = queue.pop(0)
        children = sorted(p for p, (of, state) in table.items() if of == parent and state != "Z")
        found += children
        queue += children
    return found


def name(pid):
    """The name a process has given itself: pm-query, pm-load, nginx; "" when it is gone."""
    try:
        with open(f"/proc/{pid}/comm", encoding="latin-1") as f:
            return f.read().strip()
    except OSError:
        return ""


def living_in(folder):
    """Processes whose working directory it is, whoever their parent is by now."""
    found = []
    for name in os.listdir("/proc"):
        try:
            if name.isdigit() and os.readlink(f"/proc/{name}/cwd") == folder:
                found.append(int(name))
        except OSError:
            continue  # gone since, or a zombie
    return found


def takes_connections(pid):
    """Of a worker of nginx: it is there and has not been told to finish."""
    try:
        with open(f"/proc/{pid}/cmdline", encoding="latin-1") as f:
            return "worker process" in (title := f.read()) and "shutting down" not in title
    except OSError:
        return False


def preload(source, folder):
    """Compiles tests/SOURCE into `folder`, for LD_PRELOAD; the path of the library, which the
    service's own user can reach."""
    library = os.path.join(folder, os.path.basename(source) + ".so")
    subprocess.run([os.environ.get("CC", "gcc"), "-O2", "-D_GNU_SOURCE", "-Wall", "-Werror", "-shared",
                    "-fPIC", "-o", library, os.path.join(ROOT, "tests", source)],
                   check=True, timeout=60)
    for parent in (folder, *list(folder.parents)[:2]):
        os.chmod(parent, 0o755)
    return library


def problem(answer, status, code, name=None):
    """The problem that the answer has to be; `name` is the field at fault."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert body["code"] == code, body
    assert body["request_id"] == answer.headers["X-Request-Id"]
    assert body["type"] and body["title"] and body["detail"]
    if name:
        assert [e["name"] for e in body["errors"]] == [name], body
    return body


class Player:
    """A registered player; requests carry the token and no key.

        ann = server.player("ann")
        ann.post("/v1/earn", json={"amount": 5}).json()["balance"]
    """

    def __init__(self, server, login):
        self.server = server
        self.token = login["token"]
        self.refresh_token = login["refresh_token"]
        self.id = login["player"]["id"]
        self.name = login["player"]["username"]

    def request(self, method, path, headers=None, **more):
        headers = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        return self.server.request(method, path, key=None, headers=headers, **more)

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def post(self, path, **more):
        return self.request("POST", path, **more)

    def delete(self, path, **more):
        return self.request("DELETE", path, **more)


class Server:
    running = []  # for the report of a failed test
    # Told of every answer: answered(method, path, answer).
    answered = None

    def __init__(self, settings=None, query_workers=4, play_workers=2):
        # The service's own user has to reach its data through every folder above it.
        self.base = tempfile.mkdtemp(prefix="playmeter-test-")
        os.chmod(self.base, 0o755)
        self.data = os.path.join(self.base, "data")
        self.config = os.path.join(self.base, "playmeter.yaml")
        self.log_path = os.path.join(self.base, "log")
        self.settings = {**TEST_SETTINGS, **(settings or {})}
        self.write_config(configure(self.settings))
        self.workers = ["--query-workers", str(query_workers), "--play-workers", str(play_workers)]
        self.process = None
        self.port = None
        self.edition = 0

    # Life

    def start(self):
        """The port is free when it is chosen; should somebody take it before nginx does, another
        one is tried."""
        for _ in range(3):
            self.port = free_port()
            with open(self.log_path, "ab") as log:
                self.process = subprocess.Popen(
                    [binary(), "serve", "--config", self.config, "--data", self.data,
                     "--port", str(self.port), *self.workers],
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
            if self.wait_ready():
                Server.running.append(self)
                return self
            self.reap()
        raise AssertionError(f"the service did not start:\n{self.log()}")

    def wait_ready(self):
        """False when the process is gone."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                return False
            try:
                if self.get("/readyz", key=None, timeout=5).status_code == 200:
                    return True
            except (requests.RequestException, OSError):
                pass
            time.sleep(0.02)
        self.reap()
        raise AssertionError(f"not ready after {START_SECONDS} s:\n{self.log()}")

    def stop(self):
        """Drains by SIGTERM; nothing of it may be left, and no process may have crashed."""
        if self.process is None:
            return
        pids = descendants(self.pid)
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            status = "none: it had to be killed"
        left = [pid for pid in pids if name(pid)]
        self.reap(left)
        assert status == 0, f"exit status {status} after SIGTERM:\n{self.log()}"
        assert not left, f"left behind after SIGTERM: {left}"
        assert not CRASH.search(self.log()), self.log()
        assert not self.plain_lines(), self.plain_lines()

    def reap(self, pids=()):
        """Kills what is left of the processes this object started; last those that lost their
        parents, as workers of nginx do whose master is killed while it makes them."""
        for pid in [*descendants(self.pid), *pids, self.pid]:
            self.end(pid)
        self.process.wait()
        for pid in living_in(self.data):
            self.end(pid)
        self.process = None
        if self in Server.running:
            Server.running.remove(self)

    @staticmethod
    def end(pid):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def restart(self):
        self.stop()
        return self.start()

    def close(self):
        try:
            self.stop()
        finally:
            shutil.rmtree(self.base, ignore_errors=True)

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, *_):
        self.close()

    def reload(self):
        """SIGHUP, and waits until the new generation serves alone."""
        before, nginx_before, old = self.reloads(), self.nginx_reloads(), self.pids("nginx")[1:]
        os.kill(self.pid, signal.SIGHUP)
        self.wait_reloaded(before + 1)
        # nginx changes its workers in its own time; the old ones take connections until then.
        if self.nginx_reloads() > nginx_before:
            self.wait_for(lambda: not any(takes_connections(pid) for pid in old))

    def nginx_reloads(self):
        return self.log().count("nginx's files have changed")

    def reloads(self):
        return self.log().count('"event":"reloaded"')

    def wait_reloaded(self, count, timeout=30):
        """Until `count` reloads are done since the start."""
        self.wait_for(lambda: self.reloads() >= count, timeout,
                      lambda: f"{self.reloads()} reloads are done, not {count}")

    # Processes

    @property
    def pid(self):
        return self.process.pid

    def pids(self, role):
        """Of the living processes of a role: query play writer jobs load fetch nginx."""
        wanted = "nginx" if role == "nginx" else f"pm-{role}"
        return [pid for pid in descendants(self.pid) if name(pid) == wanted]

    def kill(self, role, number=signal.SIGKILL):
        """Signals the first process of the role; its pid."""
        pid = self.pids(role)[0]
        os.kill(pid, number)
        return pid

    @contextlib.contextmanager
    def stopped(self, role):
        """The processes of a role hang, as on a disk that does not answer; their pids."""
        pids = self.pids(role)
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield pids
        finally:
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def taken_slots(self, pool):
        """How many of its workers have a call to the writer under way."""
        inode = os.stat(os.path.join(self.data, "run", f"{pool}.slots")).st_ino
        with open("/proc/locks", encoding="ascii") as f:
            return sum(f":{inode} " in line and "->" not in line for line in f)

    # Files

    @contextlib.contextmanager
    def database(self, mode="ro"):
        """playmeter.db, beside the service or without it; each statement is a transaction."""
        with contextlib.closing(sqlite3.connect(
                f"file:{os.path.join(self.data, 'playmeter.db')}?mode={mode}", uri=True, timeout=10,
                isolation_level=None)) as db:
            db.execute("PRAGMA wal_autocheckpoint = 0")
            yield db

    def write_config(self, text):
        with open(self.config + ".new", "w", encoding="utf-8") as f:
            f.write(text)
        os.replace(self.config + ".new", self.config)

    def edit_config(self, change, nginx_changes=False):
        """Writes change(text); with nginx_changes also a setting that nginx's own files show."""
        with open(self.config, encoding="utf-8") as f:
            text = change(f.read())
        if nginx_changes:
            self.edition += 1
            text = re.sub(r"(?m)^(  play: )\d+/s burst.*", rf"\g<1>100000/s burst {self.edition}",
                          text)
        self.write_config(text)

    @property
    def admin_key(self):
        with open(os.path.join(self.data, "admin.key"), encoding="ascii") as f:
            return f.read().strip()

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def plain_lines(self):
        """What of the log is no JSON object, but for stdout's lines and those of a start that was
        refused: there should be nothing."""
        plain = []
        for line in self.log().splitlines():
            try:
                is_json = isinstance(json.loads(line), dict)
            except ValueError:
                is_json = False
            if not is_json and not re.match("ready http|admin key: |playmeter: ", line):
                plain.append(line)
        return plain

    # Requests

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def request(self, method, path, key="admin", headers=None, timeout=60, **more):
        """A connection of its own: a reload closes idle ones.  Redirects are shown, not
        followed."""
        headers = dict(headers or {})
        if key is not None:
            headers.setdefault("X-API-Key", self.admin_key if key == "admin" else key)
        with requests.Session() as session:
            session.trust_env = False  # no proxy, no netrc
            answer = session.request(method, self.url + path, headers=headers, timeout=timeout,
                                     allow_redirects=False, **more)
        answer.encoding = "utf-8"  # what is not said to be something else; no guessing
        if Server.answered:
            Server.answered(method, path, answer)
        return answer

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def post(self, path, **more):
        return self.request("POST", path, **more)

    def delete(self, path, **more):
        return self.request("DELETE", path, **more)

    # Players

    def player(self, name, password="correct horse"):
        """Logs in, which registers a new name.  Few passwords are hashed at once, and who comes
        at the wrong moment comes again, as a client does."""
        deadline = time.monotonic() + 30
        while True:
            answer = self.post("/v1/login", key=None,
                               json={"username": name, "password": password})
            is_busy = answer.status_code == 503 and answer.json()["code"] == "hashing_busy"
            if not is_busy or time.monotonic() > deadline:
                break
            time.sleep(0.02)
        assert answer.status_code in (200, 201), answer.text
        return Player(self, answer.json())

    # Imports

    def start_import(self, dataset, data, **options):
        """Sends the file as a raw body, or `{"url": data}` when it is a str; the queued job."""
        path = f"/v1/datasets/{dataset}/imports"
        if isinstance(data, str):
            answer = self.post(path, json={"url": data, **options})
        else:
            answer = self.post(path, data=data, params=options,
                               headers={"Content-Type": "text/csv"})
        assert answer.status_code == 202, answer.text
        return answer.json()

    def job(self, job):
        answer = self.get(f"/v1/jobs/{job if isinstance(job, str) else job['id']}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def wait_job(self, job, timeout=60):
        """The job (or its id) when it has ended, however it ended.  A request that fails because
        a process has just been killed is asked again."""
        deadline = time.monotonic() + timeout
        seen = None
        while time.monotonic() < deadline:
            try:
                seen = self.job(job)
            except (requests.RequestException, AssertionError) as e:
                seen = seen or repr(e)
            if isinstance(seen, dict) and seen["state"] in ("succeeded", "failed", "cancelled"):
                return seen
            time.sleep(0.02)
        raise AssertionError(f"the job has not ended after {timeout} s: {seen}")

    def import_csv(self, dataset, data, expect="succeeded", timeout=60, **options):
        job = self.wait_job(self.start_import(dataset, data, **options), timeout)
        assert job["state"] == expect, job
        return job

    @staticmethod
    def wait_for(is_true, timeout=10, describe=lambda: "the condition did not come true"):
        deadline = time.monotonic() + timeout
        while not is_true():
            assert time.monotonic() < deadline, describe()
            time.sleep(0.02)
