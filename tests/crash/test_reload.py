"""A steady stream of requests on new connections runs through many SIGHUPs without one failure."""

import http.client
import os
import signal
import threading
import time

import pytest

RELOADS = 20
REQUESTS_PER_S = 500


class Stream(threading.Thread):
    """One quarter of the load: a request on a new connection every `period` seconds."""

    def __init__(self, port, period, path):
        super().__init__()
        self.port, self.period, self.path = port, period, path
        self.failures, self.count, self.is_over = [], 0, False

    def run(self):
        due = time.monotonic()
        while not self.is_over:
            due += self.period
            time.sleep(max(0, due - time.monotonic()))
            self.count += 1
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
                connection.request("GET", self.path, headers={"Connection": "close"})
                answer = connection.getresponse()
                body = answer.read()
                if answer.status != 200:
                    self.failures.append((answer.status, body[:200]))
                connection.close()
            except (OSError, http.client.HTTPException) as e:
                self.failures.append(repr(e))


@pytest.mark.crash
def test_requests_run_through_reloads(own_games, games_csv):
    server = own_games
    streams = [Stream(server.port, 4 / REQUESTS_PER_S, path) for path in (
        "/v1/datasets/games/rows?limit=1", "/v1/datasets/games", "/api/ping",
        "/v1/datasets/games/rows/20200")]
    with open(games_csv, "rb") as f:
        data = f.read()
    for stream in streams:
        stream.start()
    jobs = []
    for number in range(RELOADS):
        if number % 2 == 0:
            server.edit_config(lambda text, n=number: text + f"\n# generation {n}\n",
                               nginx_changes=True)
        else:
            jobs.append(server.start_import("games", data))
        os.kill(server.pid, signal.SIGHUP)
        server.wait_reloaded(number + 1)
    for stream in streams:
        stream.is_over = True
    for stream in streams:
        stream.join(30)
    failures = [f for stream in streams for f in stream.failures]
    count = sum(stream.count for stream in streams)
    assert failures == [], f"{len(failures)} of {count} requests failed: {failures[:5]}"
    assert count > RELOADS * 20
    for job in jobs:
        assert server.wait_job(job, timeout=60)["state"] == "succeeded"
