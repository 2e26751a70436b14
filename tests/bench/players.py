"""What a player's write costs: earn and batches of events, over HTTP and at the writer's socket,
beside SQLite with the same statements and a commit for every request, on the same disk by turns."""

import json
import os
import subprocess
import tempfile
import time

from probe import harness, wrk_script

CLIENTS = (1, 8, 32)
EVENT_CLIENTS = 4
BATCH = 1000
PLAYERS = 32
PLACES = ("HTTP", "writer's socket")
ALONE = "SQLite, a commit each"
# A key of its own for every earn of every thread; players by turns.
EARN_LUA = """
local threads, n = 0, 0
setup = function(thread) threads = threads + 1; thread:set("id", threads) end
request = function()
  n = n + 1
  return wrk.format("POST", "/v1/earn", {
    ["Authorization"] = "Bearer " .. tokens[n % #tokens + 1],
    ["Content-Type"] = "application/json",
    ["Idempotency-Key"] = "bench-" .. run .. "-" .. id .. "-" .. n,
  }, '{"amount":1,"reason":"bench"}')
end
"""
EVENTS_LUA = """
local threads, n = 0, 0
setup = function(thread) threads = threads + 1; thread:set("id", threads) end
request = function()
  n = n + 1
  local lines = {}
  for i = 1, %d do
    lines[i] = '{"event_type":"level_up","event_id":"' .. run .. '-' .. id .. '-' .. n .. '-' .. i ..
               '","ts_utc":"2026-01-31T08:00:00Z","meta":{"level":7,"hero":"ada"}}'
  end
  return wrk.format("POST", "/v1/events", {
    ["Authorization"] = "Bearer " .. tokens[n %% #tokens + 1],
    ["Content-Type"] = "application/x-ndjson",
  }, table.concat(lines, "\\n"))
end
""" % BATCH


def register(server):
    """Players, as (id, token)."""
    players = []
    for i in range(PLAYERS):
        answer = server.post("/v1/register", key=None,
                             json={"username": f"bench-{i}", "password": "bench password"})
        assert answer.status_code == 201, answer.text
        players.append((answer.json()["player"]["id"], answer.json()["token"]))
    return players


def sync_us(folder):
    """What the disk takes to keep 4 KiB: the ratios below depend on it."""
    with tempfile.NamedTemporaryFile(dir=folder) as f:
        f.write(bytes(64 * 4096))
        os.fsync(f.fileno())
        began = time.perf_counter()
        for i in range(200):
            os.pwrite(f.fileno(), bytes([i]) * 4096, i % 64 * 4096)
            os.fdatasync(f.fileno())
        return (time.perf_counter() - began) / 200 * 1e6


def writer_load(what, path, clients, seconds, first):
    program = os.path.join(harness.ROOT, "build", "release", "bench", "writer_load")
    done = subprocess.run([program, what, path, str(clients), str(seconds), str(first),
                           str(PLAYERS)], stdout=subprocess.PIPE, text=True, check=True,
                          timeout=seconds + 60)
    return json.loads(done.stdout)


class Load:
    """Names of requests that no run has used before."""

    def __init__(self, server, tokens):
        self.server, self.runs = server, 0
        self.tokens = "{" + ",".join(f'"{token}"' for token in tokens) + "}"

    def run(self, lua, clients, seconds):
        self.runs += 1
        return wrk_script(self.server.port, f"tokens = {self.tokens}\nrun = {self.runs}\n" + lua,
                          seconds, clients, [self.server.pid], self.server.base)


def measure_earn(server, load, first, clients, seconds, results):
    line = f"durable earn c={clients}"
    os.sync()  # what the load before has left to the disk
    socket = os.path.join(server.data, "run", "writer.sock")
    with tempfile.TemporaryDirectory(dir=server.base) as folder:
        alone = writer_load("earn-alone", os.path.join(folder, "peer.db"), clients, seconds, 1)
    http = load.run(EARN_LUA, clients, seconds)
    ours = writer_load("earn", socket, clients, seconds, first)
    results.add(f"{line}, HTTP, CPU us per request", http.cpu_us)
    for where, rate, p50, p99 in (
            (PLACES[0], http.rate, http.p50_ms, http.p99_ms),
            (PLACES[1], ours["per_second"], ours["p50_ms"], ours["p99_ms"])):
        results.add(f"{line}, {where}, requests/s", rate)
        results.add(f"{line}, {where}, requests/s", alone["per_second"], ALONE)
        results.add(f"{line}, {where} p50, ms", p50)
        results.add(f"{line}, {where} p99, ms", p99)
        results.add(f"{line}, {where} p99, ms", alone["p99_ms"], ALONE)
        results.add(f"{line}, {where} p99, ms", alone["worst_ms"], ALONE + ", its worst")


def measure_events(server, load, first, seconds, results):
    socket = os.path.join(server.data, "run", "writer.sock")
    line = f"events in batches of {BATCH}"
    results.add(f"{line}, {PLACES[0]}, events/s",
                BATCH * load.run(EVENTS_LUA, EVENT_CLIENTS, seconds).rate)
    ours = writer_load("events", socket, EVENT_CLIENTS, seconds, first)
    results.add(f"{line}, {PLACES[1]}, events/s", ours["per_second"])
    results.add("batch of events, writer's socket p99, ms", ours["p99_ms"])


def run(rounds, seconds, results):
    """A service as it is shipped; clients, product and peer share the machine's cores."""
    subprocess.run(["make", "-s", "build/release/bench/writer_load"], cwd=harness.ROOT, check=True,
                   timeout=600)
    server = harness.Server(query_workers=8, play_workers=24).start()
    try:
        players = register(server)
        load = Load(server, [token for _, token in players])
        for _ in range(rounds):
            results.add("sync of 4 KiB by this disk, us", sync_us(server.base))
            for clients in CLIENTS:
                measure_earn(server, load, players[0][0], clients, seconds, results)
            measure_events(server, load, players[0][0], seconds, results)
    finally:
        server.close()
