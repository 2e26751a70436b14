"""kill -9 of every kind of process at random moments of an import: the dataset is the old version or
the new one and never a mix, the job finishes, nothing is left over."""

import os
import signal
import time

import pytest

ROUNDS = 50
ROWS = 20000
# A role that is killed over and over waits twice as long each time before it is started again, up
# to 10 s; a restart of the whole lets it begin anew.
RESTART_EVERY = 8


def csv_of(generation):
    """Every row carries its generation, so that a mix would show; and there is enough text for the
    trigrams file to be made."""
    lines = ["id,generation,text"]
    lines += [f"{i},{generation},row {i} of generation {generation} {'x' * 230}"
              for i in range(ROWS)]
    return ("\n".join(lines) + "\n").encode()


def generations(server):
    """The generations that are visible, asked several times so that several workers answer."""
    seen = set()
    for _ in range(4):
        answer = server.get("/v1/datasets/crash/stats",
                            params={"column": "generation", "aggregate": "count,min,max"})
        assert answer.status_code == 200, answer.text
        stats = answer.json()["data"]["generation"]
        assert stats["count"] == ROWS
        assert stats["min"] == stats["max"], f"a mix of versions: {stats}"
        seen.add(stats["min"])
    return seen


def folders(server):
    root = os.path.join(server.data, "datasets")
    return sorted(os.path.join(d, j) for d in os.listdir(root)
                  for j in os.listdir(os.path.join(root, d)))


@pytest.mark.crash
def test_kill_at_random_moments_of_an_import(own_server, dice):
    server, rounds = own_server, dice.rounds(ROUNDS)
    server.import_csv("crash", csv_of(0), key="id")
    published = 0
    for number in range(1, rounds + 1):
        why = f"round {number} of {dice}"
        role = ["load", "jobs", "writer", "query"][number % 4]
        job = server.start_import("crash", csv_of(number), key="id")
        time.sleep(dice.random() * 0.25)
        pids = server.pids(role)[:1]
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        dice.reach(f"{role} killed", len(pids))
        # Some requests may fail until the supervisor has restarted what died.
        assert server.wait_ready()
        seen = generations(server)
        assert seen <= {published, number}, f"{why}: {seen}"
        dice.reach("the old version seen", published in seen)
        dice.reach("the new one seen", number in seen)
        done = server.wait_job(job, timeout=60)
        assert done["state"] == "succeeded", f"{why}: {done}"
        published = number
        assert generations(server) == {number}, why
        if number % RESTART_EVERY == 0:
            server.restart()
            assert generations(server) == {number}, why
    # The newest version and the two before it are kept, and no folder of an attempt that died.
    server.wait_for(lambda: len(folders(server)) <= 3, 20, lambda: f"left: {folders(server)}")
    spool = os.path.join(server.data, "spool")
    assert len(os.listdir(spool)) <= rounds + 1
