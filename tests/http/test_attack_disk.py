"""A disk that is full: uploads are refused by name, what is there can be read, and nobody has to
tidy up before the next upload is taken."""

import os
import pwd
import subprocess

import pytest

import harness

MIB = 1 << 20
HEADERS = {"Content-Type": "text/csv"}


def csv_of(size):
    row = f"{'x' * 100},1\n"
    return ("text,number\n" + row * (size // len(row))).encode()


class SmallDisk:
    """A server whose data directory is a file system of its own."""

    def __init__(self, size):
        self.server = harness.Server(query_workers=2)
        os.mkdir(self.server.data)
        options = f"size={size},mode=0700"
        if os.geteuid() == 0:
            options += f",uid={pwd.getpwnam('playmeter').pw_uid}"
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", self.server.data],
                              capture_output=True, text=True, timeout=10)
        self.is_mounted = made.returncode == 0
        self.why = made.stderr

    @property
    def free(self):
        disk = os.statvfs(self.server.data)
        return disk.f_bavail * disk.f_frsize

    @property
    def filler(self):
        return os.path.join(self.server.data, "filler")

    def leave(self, size):
        """Fills the disk up to so many bytes."""
        with open(self.filler, "ab") as f:
            # Never one write for all: it fails as a whole where the disk is nearly full.
            while self.free > size:
                try:
                    f.write(bytes(min(self.free - size, MIB)))
                    f.flush()
                except OSError:
                    return

    def close(self):
        try:
            self.server.close()
        finally:
            if self.is_mounted:
                subprocess.run(["umount", "-l", self.server.data], check=False, timeout=10)
            os.rmdir(self.server.data) if os.path.isdir(self.server.data) else None
            os.rmdir(self.server.base) if os.path.isdir(self.server.base) else None


@pytest.fixture
def small_disk():
    disk = SmallDisk(160 * MIB)
    try:
        if not disk.is_mounted:
            pytest.skip(f"a file system cannot be mounted here: {disk.why}")
        disk.server.start()
        yield disk
    finally:
        disk.close()


def upload(server, data):
    return server.post("/v1/datasets/more/imports", data=data, headers=HEADERS)


def check_507(answer):
    assert answer.status_code == 507, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == "disk_full" and problem["status"] == 507
    assert problem["request_id"] == answer.headers["X-Request-Id"]


@pytest.mark.parametrize("left", [66 * MIB, 0])
def test_uploads_are_refused_by_name_and_taken_again(small_disk, left):
    """With 66 MiB free the body of 8 MiB is stored and then given back; with none nginx itself
    cannot store it, nor a batch of events that does not fit its buffer."""
    server = small_disk.server
    player = server.player("ann")
    server.import_csv("kept", b"id\n1\n2\n")
    small_disk.leave(left)
    free = small_disk.free
    for _ in range(3):
        check_507(upload(server, csv_of(8 * MIB)))
    batch = [{"event_type": "a", "meta": "x" * 8000}] * 20
    for path in ("/v1/events", "/v1/earn"):
        answer = player.post(path, json=batch)
        if left == 0:
            check_507(answer)
        else:
            assert answer.status_code in (200, 422)
    assert player.get("/v1/balance").json()["balance"] == 0
    server.wait_for(lambda: small_disk.free >= free - MIB)
    assert server.get("/livez").status_code == 200
    assert server.get("/readyz").status_code == (200 if left else 503)
    assert server.get("/v1/datasets/kept/rows").json()["meta"]["total"] == 2
    os.unlink(small_disk.filler)
    answer = upload(server, b"id\n1\n")
    assert answer.status_code == 202, answer.text
    assert server.wait_job(answer.json())["state"] == "succeeded"


def test_a_flood_of_events_leaves_the_wallets_room(small_disk):
    server = small_disk.server
    flooder, saver = server.player("flooder"), server.player("saver")
    small_disk.leave(80 * MIB)
    batch = [{"event_type": "a", "meta": "x" * 8000}] * 1000
    answers = [flooder.post("/v1/events", json=batch) for _ in range(16)]
    # The file that nginx puts a large body in counts while the batch is being stored.
    refused = [a for a in answers if a.status_code != 200]
    for answer in refused:
        check_507(answer)
        assert "events leave 64" in answer.json()["detail"]
    assert 8 <= len(refused) < 16
    small_disk.leave(60 * MIB)
    check_507(flooder.post("/v1/event", json={"event_type": "a"}))
    for _ in range(50):
        assert saver.post("/v1/earn", json={"amount": 2}).status_code == 200
    assert saver.post("/v1/spend", json={"amount": 1, "reason": "x"}).json()["balance"] == 99
    assert len(saver.get("/v1/events").json()["data"]) == 51
    os.unlink(small_disk.filler)
    assert flooder.post("/v1/events", json=batch).json()["meta"]["stored"] == 1000


def test_imports_without_room_leave_nothing_behind(small_disk):
    """Each would fit into the spool, and none of them into the dataset's folder."""
    server = small_disk.server
    small_disk.leave(76 * MIB)
    free = small_disk.free
    for _ in range(6):
        answer = upload(server, csv_of(8 * MIB))
        assert answer.status_code == 202, answer.text
        job = server.wait_job(answer.json())
        assert job["error"] and job["error"]["code"] == "disk_full", job
    server.wait_for(lambda: small_disk.free >= free - MIB)


def test_what_finished_jobs_left_makes_room(small_disk):
    server = small_disk.server
    data = csv_of(8 * MIB)
    done = server.import_csv("kept", data)
    source = os.path.join(server.data, "spool", done["id"], "source")
    assert os.path.exists(source)
    small_disk.leave(60 * MIB)
    server.wait_for(lambda: not os.path.exists(source))
    assert server.get("/v1/datasets/kept/rows").json()["meta"]["total"] == data.count(b"\n") - 1
