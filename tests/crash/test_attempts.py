"""A job that ends its processes every time is given up; one that is merely interrupted is not."""

import json
import os
import signal
import subprocess
import threading

import pytest

ROWS = b"id,text\n" + b"".join(b"%d,%s\n" % (i, b"x" * 100) for i in range(150000))


class Poison:
    """While it is there, kills the processes of a role as soon as a child at work is seen."""

    def __init__(self, server, role, child="load"):
        self.server, self.role, self.child, self.killed = server, role, child, 0
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.is_over.wait(0.005):
            if self.server.pids(self.child):
                for pid in self.server.pids(self.role):
                    try:
                        os.kill(pid, signal.SIGKILL)
                        self.killed += 1
                    except ProcessLookupError:
                        pass

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self.thread.join()


@pytest.mark.crash
@pytest.mark.parametrize("role", ["load", "jobs"])
def test_a_job_that_kills_is_given_up(own_server, role):
    own_server.import_csv("poison", b"id,text\n1,old\n", key="id")
    with Poison(own_server, role) as poison:
        job = own_server.import_csv("poison", ROWS, expect="failed", key="id")
    assert job["error"]["code"] == "importer_crashed"
    assert 1 <= poison.killed <= 8
    assert own_server.get("/v1/datasets/poison/rows").json()["data"][0]["text"] == "old"
    own_server.import_csv("poison", b"id,text\n1,new\n", key="id")


@pytest.mark.crash
def test_a_run_of_the_reports_that_kills_is_given_up_under_its_own_name(own_server):
    head = b"event_timestamp_utc,user_id,event_name\n"
    rows = [b"2025-10-20T08:00:00Z,u%d,open\n" % i for i in range(50000)]
    own_server.import_csv("sessions", head + b"".join(rows))
    with Poison(own_server, "report", "report") as poison:
        job = own_server.wait_job(own_server.post("/v1/reports/runs").json())
    assert job["state"] == "failed" and job["error"]["code"] == "reports_crashed", job
    assert "importer" not in str(job["error"]) and poison.killed
    assert own_server.wait_job(own_server.post("/v1/reports/runs").json())["state"] == "succeeded"


@pytest.mark.crash
def test_the_log_names_the_job_that_a_successor_starts_again(own_server):
    job = own_server.start_import("resumed", ROWS * 3)
    own_server.wait_for(lambda: own_server.pids("load"))
    own_server.kill("jobs")
    assert own_server.wait_job(job)["state"] == "succeeded"
    told = [json.loads(line) for line in own_server.log().splitlines() if "job_restarts" in line]
    assert [(line["job"], line["dataset"], line["attempt"]) for line in told] == \
        [(job["id"], "resumed", 1)]
    assert "is gone" in told[0]["message"]


@pytest.mark.crash
def test_reloads_do_not_use_up_the_attempts(own_server):
    """Each of them ends the load child; more of them than a job may have attempts."""
    own_server.import_csv("patient", b"id,text\n1,old\n", key="id")
    job = own_server.start_import("patient", ROWS, key="id")
    for _ in range(7):
        own_server.wait_for(lambda: own_server.pids("load"))
        own_server.kill("load", signal.SIGSTOP)  # or it might be quicker than the reload
        own_server.reload()
    assert own_server.wait_job(job)["state"] == "succeeded"


@pytest.mark.crash
def test_a_job_hides_what_is_ours(own_server):
    """A load child without descriptors: the caller hears that it failed, the log hears why."""
    server = own_server
    job = server.start_import("starved", ROWS, key="id")
    server.wait_for(lambda: server.pids("load"))
    pid = server.kill("load", signal.SIGSTOP)
    owner = os.stat(server.data)
    become = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
    subprocess.run(["prlimit", f"--pid={pid}", "--nofile=4"], check=True, timeout=10,
                   **(become if os.geteuid() == 0 else {}))
    os.kill(pid, signal.SIGCONT)
    ended = server.wait_job(job)
    assert ended["state"] == "failed" and ended["error"]["code"] == "busy", ended
    assert server.data not in str(ended["error"])
    assert "Too many open files" in server.log()
