"""A disk that is full, and one that refuses to sync, during a storm of earn, spend and events: 507
or 503, reads go on, what was acknowledged stays, and the service recovers by itself."""

import os
import pwd
import subprocess

import pytest

import harness
import ledger_storm
from test_ledger import shoot, strike, verify_ledger

MIB = 1 << 20
# The data directory's file system.
DISK_BYTES = 160 * MIB
LARGE_DISK_BYTES = 768 * MIB


def start(server, storm):
    """Until it has something to lose."""
    storm.blow()
    server.wait_for(lambda: min(storm.books.outcomes[what] for what in ("earn", "spend", "events")) > 5)


def refused(storm):
    """503 and 507 that the clients saw since the last check."""
    outcomes = storm.books.outcomes
    return outcomes[503] + outcomes[507]


def check_reads(storm):
    """Each player's balance, while nothing can be written."""
    for player in storm.players:
        answer = storm.balance(player)
        assert answer.status_code == 200, answer.text
        assert answer.json()["player_id"] == player["id"]


def check_nothing_else(storm):
    """While the disk fails a client hears 503 or 507, and no other failure."""
    others = {k: v for k, v in storm.books.outcomes.items()
              if isinstance(k, int) and k not in (503, 507)}
    assert not others and not storm.books.outcomes["cut"], storm.books.outcomes


@pytest.fixture
def small_disk(request):
    """A service whose data directory is a file system of its own, of so many bytes."""
    server = harness.Server(play_workers=8)
    os.mkdir(server.data)
    options = f"size={request.param},mode=0700"
    if os.geteuid() == 0:
        options += f",uid={pwd.getpwnam('playmeter').pw_uid}"
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", server.data],
                          capture_output=True, text=True, timeout=10)
    try:
        if done.returncode:
            pytest.skip(f"a file system cannot be mounted here: {done.stderr}")
        yield server.start()
    finally:
        try:
            server.stop()
        finally:
            if not done.returncode:
                subprocess.run(["umount", "-l", server.data], check=False, timeout=10)
            server.close()


def fill(path):
    """Takes what is left of the disk, to the last block."""
    with open(path, "ab", buffering=0) as f:
        size = MIB
        while size:
            try:
                f.write(bytes(size))
            except OSError:
                size //= 2


@pytest.mark.crash
@pytest.mark.parametrize("small_disk, batches", [
    (DISK_BYTES, {}),
    # Large ones, so that the disk fills within a batch.
    (LARGE_DISK_BYTES, {"batch_max": 400, "event_bytes": 4000}),
], indirect=["small_disk"])
def test_a_full_disk_loses_nothing_acknowledged(small_disk, dice, batches):
    server = small_disk
    filler = os.path.join(server.data, "filler")
    with ledger_storm.Storm(server, seed=dice.random(), **batches) as storm:
        for _ in range(dice.rounds(4)):
            start(server, storm)
            fill(filler)
            server.wait_for(lambda: refused(storm) > 5)
            fill(filler)
            check_reads(storm)
            check_nothing_else(storm)
            os.unlink(filler)
            storm.calm()
            storm.check()
        verify_ledger(server)
        for outcome in ("earn", "spend", "events", 507):
            dice.reach(outcome, storm.totals[outcome])


@pytest.fixture
def flaky_disk(server_with, monkeypatch, tmp_path):
    """A service, and the file that makes its database's syncs fail while it exists."""
    flag = tmp_path / "disk-fails"
    monkeypatch.setenv("LD_PRELOAD", harness.preload("crash/fail_sync.c", tmp_path))
    monkeypatch.setenv("FAIL_SYNC_WHILE", str(flag))
    server = server_with(play_workers=8)
    return server, flag


@pytest.mark.crash
def test_failed_syncs_lose_nothing_acknowledged(flaky_disk, dice):
    """A commit whose sync fails has its frames in the log already: its outcome is unknown until
    its key is asked again.  A round ends with the disk well again; before it is, the writer is
    killed in the second of three; once it is, everything is in the third: then the log is read
    anew, with what the failed commits left in it."""
    server, flag = flaky_disk
    with ledger_storm.Storm(server, seed=dice.random()) as storm:
        for number in range(dice.rounds(9)):
            start(server, storm)
            flag.touch()
            server.wait_for(lambda: refused(storm) > 5)
            check_reads(storm)
            check_nothing_else(storm)
            dice.reach("refused", refused(storm))
            if number % 3 == 1:
                shoot(server.pids("writer"))
            flag.unlink()
            if number % 3 == 2:
                strike(server, "everything", dice)
            for then, what in enumerate(("left alone", "writer killed", "everything killed")):
                dice.reach(what, number % 3 == then)
            storm.calm()
            storm.check()
        verify_ledger(server)

