"""A writer that stands still, as under a disk that hangs: what only reads is not held up."""

import concurrent.futures
import os
import signal
import time

import pytest


@pytest.fixture
def stopped_writer(server_with):
    server = server_with(query_workers=8)
    server.import_csv("kept", b"id\n1\n2\n")
    server.import_csv("kept", b"id\n1\n2\n3\n")
    pid = server.pids("writer")[0]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield server
    finally:
        os.kill(pid, signal.SIGCONT)


def timed(call):
    began = time.monotonic()
    return call(), time.monotonic() - began


def test_reads_go_on_while_more_writes_wait_than_there_are_workers(stopped_writer):
    server = stopped_writer
    writes = [lambda: server.post("/v1/datasets/kept/rollback"),
              lambda: server.delete("/v1/jobs/00000000000000000000"),
              lambda: server.post("/v1/datasets/more/imports", data=b"id\n1\n",
                                  headers={"Content-Type": "text/csv"})]
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        began = time.monotonic()
        waiting = [pool.submit(timed, writes[i % len(writes)]) for i in range(24)]
        # Those that find no room are refused; from then on the others wait.
        while sum(w.done() for w in waiting) < 20:
            assert time.monotonic() - began < 5, "writes are neither refused nor bounded"
            time.sleep(0.01)
        spent = []
        for _ in range(20):
            answer, seconds = timed(lambda: server.get("/v1/datasets/kept/rows", timeout=5))
            assert answer.status_code == 200 and answer.json()["meta"]["total"] == 3
            spent.append(seconds)
        assert sorted(spent)[len(spent) // 2] < 0.05 and max(spent) < 1, spent
        assert sum(w.done() for w in waiting) == 20
        refused = [w.result()[0] for w in waiting if w.done()]
        os.kill(server.pids("writer")[0], signal.SIGCONT)
        taken = [w.result(timeout=20)[0] for w in waiting if w not in refused]
    for answer in refused:
        assert answer.status_code == 503 and answer.json()["code"] == "busy", answer.text
        assert "nothing was stored" in answer.json()["detail"]
        assert answer.headers["Retry-After"] == "1"
    assert sum(a.status_code in (200, 202, 404, 409) for a in taken) == 4, taken
    # What they held was given back.
    assert server.post("/v1/datasets/kept/rollback", json={"version": 2}).status_code in (200, 409)


def test_a_worker_that_dies_while_it_waits_gives_its_room_back(stopped_writer):
    server = stopped_writer
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(server.post, "/v1/datasets/kept/rollback") for _ in range(4)]
        time.sleep(0.5)
        answer = server.post("/v1/datasets/kept/rollback", timeout=5)
        assert answer.status_code == 503, answer.text
        before = server.pids("query")
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        assert {w.result(timeout=20).status_code for w in waiting} == {502}
    server.wait_for(lambda: len(set(server.pids("query")) - set(before)) == 8)
    os.kill(server.pids("writer")[0], signal.SIGCONT)
    assert server.post("/v1/datasets/kept/rollback", json={"version": 2}).status_code in (200, 409)
