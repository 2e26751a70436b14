"""kill -9 of the writer, of all workers, of everything, at random moments of a storm of earn, spend
and event batches: what was acknowledged is there, what was refused is not, what was repeated
counts once, and every balance is the sum of its ledger.

The same storm finds each defect that a patch of `defects/` plants (`make MODE=defects`): a proof that
cannot fail proves nothing.
"""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import pytest

import harness
import ledger_storm

CYCLES = 40
# A round; the supervisor waits longer each time the same child dies, until it is new itself.
TARGETS = ["writer", "workers", "everything", "everything"]
STORM_SECONDS = 0.05
VERIFY_EVERY = 20
DEFECT_CYCLES = 60
# Above TRUNCATE_PAGES of the writer's loop; an event of so many bytes is a page.
LONG_LOG_PAGES = 17000
EVENT_BYTES = 4000
LONG_LOG_CYCLES = 4
# Of each patch: whom to kill, and as what it shows.
DEFECTS = {
    "reply_before_commit": (["writer", "everything"], {"lost"}),
    "idempotency_apart": (["writer", "everything"], {"repeated", "apart"}),
    "balance_from_c": (["workers"], {"balance"}),
}


def shoot(pids):
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def strike(server, target, dice):
    """kill -9; the service comes back by itself, or is started again when nothing is left."""
    if target == "writer":
        shoot(server.pids("writer"))
    elif target == "workers":
        shoot(server.pids("query") + server.pids("play"))
    else:
        pids = [server.pid, *harness.descendants(server.pid)]
        dice.shuffle(pids)
        shoot(pids)
        server.reap()
        server.start()


def verify_ledger(server):
    """The product's own recount, beside the running service."""
    done = subprocess.run([harness.binary(), "verify-ledger", "--data", server.data,
                           "--config", server.config],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def run_cycles(server, storm, dice, cycles, targets):
    strikes = []
    for number in range(1, cycles + 1):
        strikes = strikes or dice.sample(targets, len(targets))
        target = strikes.pop()
        storm.blow()
        time.sleep(dice.random() * STORM_SECONDS)
        strike(server, target, dice)
        dice.reach(f"{target} killed")
        storm.calm()
        try:
            storm.check()
        except ledger_storm.Broken as broken:
            broken.args = (f"cycle {number} ({target}) of {dice}: {broken}",)
            raise
        if number % VERIFY_EVERY == 0 or number == cycles:
            verify_ledger(server)


@pytest.mark.crash
def test_nothing_acknowledged_is_lost_by_kills(server_with, dice):
    server = server_with(play_workers=8)
    cycles = dice.rounds(CYCLES)
    with ledger_storm.Storm(server, seed=dice.random()) as storm:
        run_cycles(server, storm, dice, cycles, TARGETS)
        totals = storm.totals
    # The storm was one: there was something to lose, to refuse and to repeat.
    for outcome in ("earn", "spend", "events", "no funds", "invalid", "bad item", "replayed"):
        dice.reach(outcome, totals[outcome])
        assert totals[outcome] >= cycles, totals
    dice.reach("unknown, asked again", totals["cut"] + totals[502] + totals[503])
    assert totals["cut"] + totals[502] + totals[503] >= cycles, totals


def log_pages(server):
    """As SQLite's index of the log has it: the file keeps its size when the log begins anew."""
    with open(os.path.join(server.data, "playmeter.db-shm"), "rb") as index:
        return int.from_bytes(index.read(20)[16:], sys.byteorder)


def check_integrity(server):
    path = os.path.join(server.data, "playmeter.db")
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def lengthen_log(server, storm):
    """A reader that stands in the log lets it grow; once it is gone the log is copied and cut.
    Nothing here opens a file of the database meanwhile: closing it would end the reader's lock."""
    path = os.path.join(server.data, "playmeter.db")
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10,
                                 isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM player").fetchall()
        storm.blow()
        server.wait_for(lambda: storm.books.outcomes["events"] > LONG_LOG_PAGES, 30)


@pytest.mark.crash
def test_nothing_acknowledged_is_lost_while_a_long_log_is_emptied(server_with, dice):
    """Large batches, and kills in the moments after the log may be cut."""
    server = server_with(play_workers=8)
    with ledger_storm.Storm(server, seed=dice.random(), batch_max=400,
                            event_bytes=EVENT_BYTES) as storm:
        for number in range(dice.rounds(LONG_LOG_CYCLES)):
            lengthen_log(server, storm)
            time.sleep(dice.random() * STORM_SECONDS * 4)
            strike(server, TARGETS[number % 3], dice)
            dice.reach(f"{TARGETS[number % 3]} killed")
            storm.calm()
            storm.check()
            check_integrity(server)
        # The kills came where there was something to copy and cut.
        lengthen_log(server, storm)
        server.wait_for(lambda: log_pages(server) < LONG_LOG_PAGES, 10)
        storm.pause()
        storm.check()
        verify_ledger(server)


@pytest.fixture(scope="module")
def defects_build():
    """The folder with a program for each patch, by its name."""
    patches = os.listdir(os.path.join(harness.ROOT, "tests/crash/defects"))
    assert set(patches) == {f"{defect}.patch" for defect in DEFECTS}
    subprocess.run(["make", "-s", f"-j{os.cpu_count()}", "MODE=defects", "all"],
                   cwd=harness.ROOT, check=True, timeout=600)
    return os.path.join(harness.ROOT, "build/defects")


@pytest.mark.crash
@pytest.mark.parametrize("defect", DEFECTS)
def test_a_planted_defect_is_found(defects_build, server_with, monkeypatch, dice, defect):
    targets, kinds = DEFECTS[defect]
    monkeypatch.setenv("PLAYMETER_BIN", os.path.join(defects_build, defect, "playmeter"))
    server = server_with(play_workers=8)
    with ledger_storm.Storm(server, seed=dice.random()) as storm:
        with pytest.raises(ledger_storm.Broken) as found:
            run_cycles(server, storm, dice, DEFECT_CYCLES, targets)
    assert set(found.value.kinds) & kinds, found.value
