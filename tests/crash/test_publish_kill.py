"""kill -9 of the whole service around publications: whatever the moment, the next start is no refusal,
and what was published is there.  See worker/datasets/guard.h for what lies where in between."""

import glob
import json
import os
import shutil
import sqlite3
import tempfile
import threading
import time
from collections import Counter
from contextlib import closing

import pytest
import requests

import harness


DATASETS = ("one", "two", "three")


def database(server):
    """(count, finished jobs) of a copy, so that nobody but the service recovers its log."""
    folder = tempfile.mkdtemp(dir=server.base)
    try:
        for name in ("playmeter.db", "playmeter.db-wal"):
            shutil.copy(os.path.join(server.data, name), folder)
        with closing(sqlite3.connect(os.path.join(folder, "playmeter.db"))) as db:
            (seq,), = db.execute("SELECT catalogue_seq FROM data_directory")
            published = {job for job, in db.execute("SELECT job_id FROM dataset_version")}
        return seq, published
    finally:
        shutil.rmtree(folder)


def moment(server):
    """Between which two steps of a publication the kill fell."""
    seq, published = database(server)
    with open(os.path.join(server.data, "state"), encoding="utf-8") as f:
        state = json.load(f)["catalogue_seq"]
    assert state <= seq, "the state is ahead of the database"
    written = {os.path.basename(os.path.dirname(path)) for path in version_files(server)}
    if written - published:
        return "before the commit"
    return "before the state" if state < seq else "elsewhere"


def version_files(server):
    return set(glob.glob(os.path.join(server.data, "datasets/*/*/version.json")))


class Uploads(threading.Thread):
    """Imports into a dataset, one after the other, until the service is gone."""

    def __init__(self, server, dataset):
        super().__init__(daemon=True)
        self.server, self.dataset = server, dataset
        self.done = 0

    def run(self):
        try:
            while True:
                self.server.import_csv(self.dataset, b"id\n1\n2\n", timeout=2)
                self.done += 1
        except (requests.RequestException, OSError, AssertionError):
            pass


@pytest.mark.crash
def test_kill_around_publications_leads_to_no_refusal(own_server, dice):
    server, versions = own_server, Counter()
    for number in range(1, dice.rounds(12) + 1):
        why = f"round {number} of {dice}"
        uploads = [Uploads(server, dataset) for dataset in DATASETS]
        for upload in uploads:
            upload.start()
        time.sleep(0.1 + dice.random() * 0.2)
        if number % 3:  # the file is the first of a publication's steps
            before, deadline = version_files(server), time.monotonic() + 5
            while version_files(server) <= before and time.monotonic() < deadline:
                pass
            time.sleep(dice.random() * 0.002)
        server.kill("writer")
        server.reap()
        for upload in uploads:
            upload.join()
            versions[upload.dataset] += upload.done
        found = moment(server)
        dice.reach(found)
        dice.reach("within a publication", found != "elsewhere")
        server.start()  # fails where it is refused
        assert "wrong_database" not in server.log(), why
        for job in server.get("/v1/jobs?limit=10").json()["data"]:
            ended = server.wait_job(job)
            # An upload whose enqueuing was not answered takes its source back.
            assert ended["state"] == "succeeded" or ended["error"]["code"] == "source_gone", (why, ended)
        for dataset in DATASETS:
            answer = server.get(f"/v1/datasets/{dataset}/rows")
            if versions[dataset]:
                assert answer.status_code == 200, why
                assert answer.json()["meta"]["version"] >= versions[dataset], why
                versions[dataset] = answer.json()["meta"]["version"]
        assert "warning" not in server.get("/readyz").json(), why


@pytest.fixture
def killed_at_rename(monkeypatch, tmp_path):
    """A service, and the file that says at which rename a process of it is killed."""
    server = harness.Server()
    order = os.path.join(server.data, "run/kill-at")
    monkeypatch.setenv("LD_PRELOAD", harness.preload("crash/kill_at_rename.c", tmp_path))
    monkeypatch.setenv("KILL_AT_RENAME", order)
    try:
        yield server.start(), order
    finally:
        server.close()


@pytest.mark.crash
@pytest.mark.parametrize("dies", ["writer", "service"])
def test_kill_at_every_step_of_a_publication(killed_at_rename, dies):
    """version.json -> COMMIT -> state; each is there when the next begins."""
    server, order = killed_at_rename
    server.import_csv("one", b"id\n1\n")
    steps = {"before version.json": "elsewhere", "after version.json": "before the commit",
             "before state": "before the state", "after state": "elsewhere"}
    for version, (step, expected) in enumerate(steps.items(), 2):
        with open(order + ".new", "w", encoding="ascii") as f:
            f.write(step)
        owner = os.stat(server.data)
        os.chown(order + ".new", owner.st_uid, owner.st_gid)
        os.rename(order + ".new", order)
        job = server.start_import("one", b"id\n1\n2\n")
        server.wait_for(lambda: not os.path.exists(order))
        if dies == "service":
            server.reap()
            assert moment(server) == expected, step
            server.start()
        assert server.wait_job(job)["state"] == "succeeded", step
        assert server.get("/v1/datasets/one/rows").json()["meta"] == {"total": 2, "version": version}
        server.wait_for(lambda: moment(server) == "elsewhere")
        assert "wrong_database" not in server.log() and "writer_failed" not in server.log(), step
        assert "warning" not in server.get("/readyz").json(), step
