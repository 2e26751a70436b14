"""A writer that stands still, as under a disk that hangs: what only reads is not held up."""

import concurrent.futures
import os
import signal

import pytest


@pytest.fixture
def stopped_writer(server_with):
    server = server_with(query_workers=8)
    server.import_csv("kept", b"id\n1\n2\n")
    server.import_csv("kept", b"id\n1\n2\n3\n")
    with server.stopped("writer"):
        yield server


def test_reads_go_on_while_more_writes_wait_than_there_are_workers(stopped_writer):
    server = stopped_writer
    writes = [lambda: server.post("/v1/datasets/kept/rollback"),
              lambda: server.delete("/v1/jobs/00000000000000000000"),
              lambda: server.post("/v1/datasets/more/imports", data=b"id\n1\n",
                                  headers={"Content-Type": "text/csv"})]
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        waiting = [pool.submit(writes[i % len(writes)]) for i in range(24)]
        # Those that find no room are refused; from then on the others wait.
        server.wait_for(lambda: sum(w.done() for w in waiting) >= 20)
        for _ in range(20):
            answer = server.get("/v1/datasets/kept/rows")
            assert answer.status_code == 200 and answer.json()["meta"]["total"] == 3
        # The reads waited for none of them: they still wait.
        assert sum(w.done() for w in waiting) == 20
        refused = [w.result() for w in waiting if w.done()]
        os.kill(server.pids("writer")[0], signal.SIGCONT)
        taken = [w.result(timeout=20) for w in waiting if w not in refused]
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
        server.wait_for(lambda: server.taken_slots("query") == 4)
        answer = server.post("/v1/datasets/kept/rollback")
        assert answer.status_code == 503, answer.text
        before = server.pids("query")
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        assert {w.result(timeout=20).status_code for w in waiting} == {502}
    server.wait_for(lambda: len(set(server.pids("query")) - set(before)) == 8)
    os.kill(server.pids("writer")[0], signal.SIGCONT)
    assert server.post("/v1/datasets/kept/rollback", json={"version": 2}).status_code in (200, 409)
