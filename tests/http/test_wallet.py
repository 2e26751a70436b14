"""The wallet over HTTP: what is answered, what is stored, and what storms of requests leave."""

import concurrent.futures
import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import threading
import time

import pytest

import harness

AMOUNT_MAX = 10**12
BALANCE_MAX = 2**53 - 1


@pytest.fixture(scope="module")
def server():
    with harness.Server(play_workers=16) as server:
        yield server


@pytest.fixture
def player(server, request):
    return server.player(re.sub(r"[^a-z0-9]", "-", request.node.name.removeprefix("test_"))[:64])


def stored(server):
    """How many rows each table of the wallet has, and the sum of all balances."""
    with server.database() as db:
        return [db.execute(f"SELECT {what}").fetchone()[0] for what in (
            "count(*) FROM ledger_entry", "count(*) FROM idempotency", "count(*) FROM event",
            "total(balance) FROM player", "total(ledger_count) FROM player")]


def refused(answer, status, code, name=None):
    return harness.problem(answer, status, code, name)["detail"]


@pytest.mark.asan
def test_a_wallet_is_filled_emptied_and_shown(server, player):
    assert player.get("/v1/balance").json() == {"player_id": player.id, "balance": 0}
    earned = player.post("/v1/earn", json={"amount": 50})
    assert earned.status_code == 200 and set(earned.json()) == {"balance", "ledger_id", "event_id"}
    spent = player.post("/spend", json={"amount": 20, "reason": "Schwert ö \"1\""}).json()
    assert spent["balance"] == 30 and spent["ledger_id"] > earned.json()["ledger_id"]
    assert player.get("/balance").json()["balance"] == 30
    page = player.get("/v1/ledger").json()
    last, first = page["data"]
    assert {key: last[key] for key in last if key != "created_at"} == {
        "id": spent["ledger_id"], "operation": "spend", "amount": 20, "delta": -20,
        "balance_after": 30, "reason": "Schwert ö \"1\"", "event_id": spent["event_id"]}
    assert first["operation"] == "earn" and first["delta"] == 50 and first["reason"] is None
    assert last["created_at"].endswith("Z") and last["created_at"] >= first["created_at"]
    assert page["meta"] == {"total": 2} and page["page"]["has_more"] is False
    with server.database() as db:
        kind, meta = db.execute("SELECT name, meta FROM event JOIN event_type ON event_type.id ="
                                " type_id WHERE event.id = ?", [spent["event_id"]]).fetchone()
    assert kind == "spend" and json.loads(meta) == {
        "amount": 20, "balance": 30, "ledger_id": spent["ledger_id"], "reason": "Schwert ö \"1\""}


def test_the_ledger_is_walked_page_by_page(player):
    for amount in range(1, 8):
        player.post("/v1/earn", json={"amount": amount})
    seen, path = [], "/v1/ledger?limit=3"
    while path:
        page = player.get(path)
        seen += [entry["amount"] for entry in page.json()["data"]]
        path = page.json()["page"]["next_url"]
        assert ("Link" in page.headers) == (path is not None)
    assert seen == [7, 6, 5, 4, 3, 2, 1]
    for query, name in (("limit=0", "limit"), ("limit=1001", "limit"), ("cursor=x", "cursor"),
                        ("cursor=-1", "cursor"), ("cursor=99999999999999999999", "cursor")):
        refused(player.get(f"/v1/ledger?{query}"), 400, "bad_parameter", name)
    refused(player.get("/v1/ledger?before=3"), 400, "unknown_parameter", "before")


def test_nobody_sees_or_moves_what_is_anothers(server, player):
    other = server.player("somebody-else")
    player.post("/v1/earn", json={"amount": 5})
    assert other.get("/v1/ledger").json()["data"] == []
    assert other.get("/v1/balance").json()["balance"] == 0
    for method, path in (("POST", "/v1/earn"), ("POST", "/spend"), ("GET", "/v1/balance"),
                         ("GET", "/ledger")):
        answer = server.request(method, path, json={"amount": 1, "reason": "x"}
                                if method == "POST" else None)
        assert answer.status_code == 401, answer.text  # an admin key is no player


def test_an_amount_is_an_integer_by_its_value(player):
    """However a game engine writes it: exact up to the limit, and one request to the key."""
    balance = 0
    for literal, amount in ((b"10.0", 10), (b"1e1", 10), (b"100e-1", 10), (b"1e12", 10**12),
                            (b"999999999999.00", 10**12 - 1)):
        headers = {"Idempotency-Key": literal.decode()}
        answers = [player.post("/v1/earn", data=b'{"amount":' + text + b"}", headers=headers)
                   for text in (literal, str(amount).encode())]
        balance += amount
        assert [a.json().get("balance") for a in answers] == [balance] * 2, answers[0].text
        assert answers[1].headers["Idempotent-Replayed"] == "true"
    assert [e["amount"] for e in player.get("/v1/ledger").json()["data"]] == [
        10**12 - 1, 10**12, 10, 10, 10]


def test_a_reason_of_null_is_none_and_the_same_request_as_without(player):
    answers = [player.post("/v1/earn", json=body, headers={"Idempotency-Key": "null-1"})
               for body in ({"amount": 5, "reason": None}, {"amount": 5})]
    assert [a.status_code for a in answers] == [200, 200], answers[0].text
    assert answers[1].headers["Idempotent-Replayed"] == "true"
    assert [e["reason"] for e in player.get("/v1/ledger").json()["data"]] == [None]


@pytest.mark.asan
def test_a_body_that_is_wrong_is_refused_by_name(server, player):
    before = stored(server)
    for amount in (0, -1, 1.5, AMOUNT_MAX + 1, 2**63, 10**30, "5", True, [5], {}):
        detail = refused(player.post("/v1/earn", json={"amount": amount}), 422, "invalid", "amount")
        assert "from 1 to 1000000000000" in detail and "got" in detail
    for literal in (b"1e13", b"10.5", b"-0", b"1E-1", b"1.0e400", b"12345678901234567890.0"):
        answer = player.post("/v1/earn", data=b'{"amount":' + literal + b"}")
        assert literal.decode() in refused(answer, 422, "invalid", "amount")
    for reason in (5, "a\nb", "a\u0085", "\u007f", "ö" * 129):
        refused(player.post("/v1/earn", json={"amount": 1, "reason": reason}), 422, "invalid",
                "reason")
    for missing in ({}, {"amount": None}):
        refused(player.post("/v1/earn", json=missing), 422, "missing_member", "amount")
    for missing in ({"amount": 1}, {"amount": 1, "reason": None}):
        refused(player.post("/v1/spend", json=missing), 422, "missing_member", "reason")
    refused(player.post("/v1/spend", json={"amount": 1, "reason": ""}), 422, "invalid", "reason")
    detail = refused(player.post("/v1/earn", json={"amount": 1, "reasn": "x"}), 422,
                     "unknown_member", "reasn")
    assert "'reason'" in detail
    for body in ([], 5, "x", None):
        refused(player.post("/v1/earn", data=json.dumps(body)), 422, "invalid")
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/jsonx"):
        refused(player.post("/v1/earn", data=b'{"amount":1}', headers={"Content-Type": kind}),
                415, "unsupported_media_type")
    for coding in ("gzip", "br", "x", "identity, gzip"):
        answer = player.post("/v1/earn", data=b'{"amount":1}', headers={"Content-Encoding": coding})
        assert f"got '{coding}'" in refused(answer, 415, "unsupported_media_type")
    assert stored(server) == before
    for headers in ({}, {"Content-Encoding": "Identity"}, {"Content-Type": "application/json; charset=utf-8"}):
        assert player.post("/v1/earn", data=b' {"amount" : 1}\n', headers=headers).ok


def test_two_headers_that_disagree_about_the_body_are_refused(server, player):
    before = stored(server)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    with contextlib.closing(connection):
        connection.putrequest("POST", "/v1/earn")
        for name, value in (("Authorization", f"Bearer {player.token}"), ("Content-Length", "12"),
                            ("Content-Type", "application/json"), ("Content-Type", "text/plain")):
            connection.putheader(name, value)
        connection.endheaders(b'{"amount":1}')
        # nginx 1.22 hands on both; from 1.23 it joins them, and that is no type.
        assert connection.getresponse().status in (400, 415)
    assert stored(server) == before


@pytest.mark.asan
def test_what_is_not_json_stores_nothing(server, player, not_json):
    before = stored(server)
    wrong = []
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for name, answer in zip(not_json, pool.map(
                lambda body: player.post("/v1/earn", data=body), not_json.values())):
            if answer.status_code != 400 or answer.json()["code"] != "malformed":
                wrong.append((name, answer.status_code, answer.text))
    assert not wrong, wrong
    assert stored(server) == before


def test_a_balance_stays_between_zero_and_two_to_the_53(server, player):
    def fill(count):
        connection = Connection(server, player)
        return {connection.post("/v1/earn", {"amount": AMOUNT_MAX})[0] for _ in range(count)}

    refused(player.post("/v1/spend", json={"amount": 1, "reason": "x"}), 409, "insufficient_funds")
    rounds, rest = divmod(BALANCE_MAX, AMOUNT_MAX)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        shares = [rounds // 16 + (i < rounds % 16) for i in range(16)]
        assert all(statuses == {200} for statuses in pool.map(fill, shares))
    detail = refused(player.post("/v1/earn", json={"amount": AMOUNT_MAX}), 409, "balance_limit")
    assert str(BALANCE_MAX) in detail and str(AMOUNT_MAX) in detail
    assert player.post("/v1/earn", json={"amount": rest}).json()["balance"] == BALANCE_MAX
    refused(player.post("/v1/earn", json={"amount": 1}), 409, "balance_limit")
    spent = player.post("/v1/spend", json={"amount": 1, "reason": "x"})
    assert spent.json()["balance"] == BALANCE_MAX - 1


def test_a_key_gives_the_stored_answer_again(server, player):
    def earn(key, body, path="/v1/earn"):
        return player.post(path, data=body, headers={"Idempotency-Key": key})

    first = earn("k", b'{"amount":5,"reason":"x"}')
    assert "Idempotent-Replayed" not in first.headers
    player.post("/v1/earn", json={"amount": 100})
    before = stored(server)
    for body in (b'{"amount":5,"reason":"x"}', b' {"reason" : "\\u0078", "amount" : 5} '):
        again = earn("k", body)
        assert again.headers["Idempotent-Replayed"] == "true"
        assert again.content == first.content and again.status_code == 200
    for body in (b'{"amount":6,"reason":"x"}', b'{"amount":5,"reason":"y"}', b'{"amount":5}'):
        refused(earn("k", body), 422, "idempotency_key_reused", "Idempotency-Key")
    assert stored(server) == before
    # Another operation or player has keys of its own.
    assert "Idempotent-Replayed" not in earn("k", b'{"amount":5,"reason":"x"}', "/spend").headers
    other = server.player("keys-of-his-own")
    assert "Idempotent-Replayed" not in other.post(
        "/earn", json={"amount": 5, "reason": "x"}, headers={"Idempotency-Key": "k"}).headers


def test_a_refusal_does_not_use_its_key_up(server, player):
    def spend():
        return player.post("/v1/spend", json={"amount": 5, "reason": "x"},
                           headers={"Idempotency-Key": "once"})

    before = stored(server)
    detail = refused(spend(), 409, "insufficient_funds")
    assert "balance of 0" in detail and "amount of 5" in detail
    assert stored(server) == before
    player.post("/v1/earn", json={"amount": 5})
    assert spend().json()["balance"] == 0
    assert spend().headers["Idempotent-Replayed"] == "true"


def test_a_key_is_printable_ascii(server, player):
    before = stored(server)
    for key in ("", "k" * 129, "a\tb", "\u00e9".encode()):
        refused(player.post("/v1/earn", json={"amount": 1}, headers={"Idempotency-Key": key}), 400,
                "bad_parameter", "Idempotency-Key")
    assert stored(server) == before
    key = "".join(map(chr, range(0x7e, 0x1f, -1))).ljust(128, "k")
    for replayed in (None, "true"):
        answer = player.post("/v1/earn", json={"amount": 1}, headers={"Idempotency-Key": key})
        assert answer.headers.get("Idempotent-Replayed") == replayed


def test_two_keys_are_none(server, player):
    before = stored(server)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.putrequest("POST", "/v1/earn")
    for name, value in (("Authorization", f"Bearer {player.token}"), ("Content-Length", "12"),
                        ("Idempotency-Key", "one"), ("Idempotency-Key", "two")):
        connection.putheader(name, value)
    connection.endheaders(b'{"amount":1}')
    answer = connection.getresponse()
    # Two lines, or the one with a comma that newer releases of nginx make of them.
    assert answer.status == 400 and b"dempotency-" in answer.read().replace(b"-key", b"-Key")
    assert stored(server) == before


class Connection:
    """Kept open: a storm is of changes, not of connections."""

    def __init__(self, server, player):
        self.http = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        self.headers = {"Authorization": f"Bearer {player.token}"}

    def post(self, path, body, key=None):
        headers = {**self.headers, **({"Idempotency-Key": key} if key else {})}
        self.http.request("POST", path, json.dumps(body), headers)
        answer = self.http.getresponse()
        return answer.status, json.loads(answer.read()), answer.headers.get("Idempotent-Replayed")


class Watch:
    """Looks, in one snapshot each time, whether balance = sum of the ledger = last balance_after
    holds for every player."""

    def __init__(self, server):
        self.server = server
        self.is_over = threading.Event()
        self.looks = 0
        self.broken = []
        self.thread = threading.Thread(target=self.run)

    def look(self, db):
        self.looks += 1
        self.broken += db.execute("""
            SELECT player.id, balance, ledger_count, sum(delta), count(delta), max(last) FROM player
            LEFT JOIN (SELECT player_id, CASE operation WHEN 'earn' THEN amount ELSE -amount END
                              AS delta, CASE WHEN id = max(id) OVER (PARTITION BY player_id)
                                             THEN balance_after END AS last
                       FROM ledger_entry) ON player_id = player.id
            GROUP BY player.id
            HAVING balance <> coalesce(sum(delta), 0) OR balance <> coalesce(max(last), 0)
                   OR balance < 0 OR ledger_count <> count(delta)""").fetchall()

    def run(self):
        with self.server.database() as db:
            while not self.is_over.is_set():
                self.look(db)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self.thread.join()
        with self.server.database() as db:
            self.look(db)
        assert not self.broken and self.looks > 2


def storm(server, dice, players, threads, each):
    """Threads earn and spend at random; the sum of what was acknowledged, by player."""
    sums = {player.id: 0 for player in players}
    guard = threading.Lock()

    def run(number):
        chance = harness.Dice(f"{dice.name} {number}")
        connections = {player: Connection(server, player) for player in players}
        for i in range(each):
            player = chance.choice(players)
            operation = chance.choice(("earn", "spend"))
            amount = chance.randint(1, 100)
            status, answer, _ = connections[player].post(
                f"/v1/{operation}", {"amount": amount, "reason": "storm"},
                key=f"{number}-{i}" if chance.random() < 0.5 else None)
            with guard:
                dice.reach("earned", (operation, status) == ("earn", 200))
                dice.reach("spent", (operation, status) == ("spend", 200))
                dice.reach("no funds", status == 409)
                if status == 200:
                    sums[player.id] += amount if operation == "earn" else -amount
                    assert answer["balance"] >= 0
                else:
                    assert (status, answer["code"]) == (409, "insufficient_funds")

    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        for future in [pool.submit(run, number) for number in range(threads)]:
            future.result()
    return sums


@pytest.mark.parametrize("players, threads", [(1, 32), (20, 16)])
def test_a_storm_loses_nothing(server, dice, players, threads):
    crowd = [server.player(f"storm-{players}-{i}") for i in range(players)]
    with Watch(server):
        sums = storm(server, dice, crowd, threads, dice.rounds(50))
    for player in crowd:
        assert player.get("/v1/balance").json()["balance"] == sums[player.id] >= 0


def test_one_key_from_many_clients_at_once_has_one_effect(server, player):
    player.post("/v1/earn", json={"amount": 1000})
    start = threading.Barrier(16)

    def run(round_number):
        connection = Connection(server, player)
        start.wait()
        return connection.post("/v1/spend", {"amount": 7, "reason": "x"}, f"same-{round_number}")

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        for round_number in range(5):
            answers = list(pool.map(run, [round_number] * 16))
            assert {status for status, _, _ in answers} == {200}
            assert len({json.dumps(body) for _, body, _ in answers}) == 1
            assert sorted(str(replayed) for *_, replayed in answers) == ["None"] + ["true"] * 15
    assert player.get("/v1/balance").json()["balance"] == 1000 - 5 * 7


def verify_ledger(server):
    return subprocess.run([harness.binary(), "verify-ledger", "--config", server.config, "--data",
                           server.data], capture_output=True, text=True, timeout=60)


@pytest.mark.asan
def test_the_ledger_is_recounted_beside_the_service(server, player):
    stop = threading.Event()

    def earn_on():
        connection = Connection(server, player)
        while not stop.is_set():
            assert connection.post("/v1/earn", {"amount": 1})[0] == 200

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        busy = pool.submit(earn_on)
        try:
            for _ in range(3):
                done = verify_ledger(server)
                assert done.returncode == 0 and done.stderr == "", done
                assert "every chain is whole" in done.stdout and "player " not in done.stdout
        finally:
            stop.set()
        busy.result()


def tamper(server, sql):
    """What somebody with a shell can do while the service is down."""
    with server.database("rw") as db:
        db.execute("DROP TRIGGER ledger_entry_stays")
        db.execute(sql)
        db.execute("CREATE TRIGGER ledger_entry_stays BEFORE UPDATE ON ledger_entry "
                   "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END")


def test_a_ledger_that_was_altered_is_found_at_the_start(own_server):
    server = own_server
    player = server.player("ann")
    entries = [player.post("/v1/earn", json={"amount": 5}).json()["ledger_id"] for _ in range(3)]
    server.stop()
    tamper(server, f"UPDATE ledger_entry SET amount = 6 WHERE id = {entries[1]}")
    server.start()
    server.wait_for(lambda: '"event":"ledger_broken"' in server.log())
    fault = next(json.loads(line) for line in server.log().splitlines()
                 if '"event":"ledger_fault"' in line)
    assert (fault["player"], fault["entry"]) == (player.id, entries[1])
    # It goes on, and says so.
    ready = server.get("/readyz", key=None)
    assert ready.status_code == 200 and "ledger" in ready.json()["warning"]
    assert player.post("/v1/earn", json={"amount": 5}).json()["balance"] == 20
    done = verify_ledger(server)
    assert done.returncode == 1 and "1 players have faults" in done.stdout
    assert f"player {player.id}, entry {entries[1]}: balance_after is 10" in done.stdout
    server.stop()
    tamper(server, f"UPDATE ledger_entry SET amount = 5 WHERE id = {entries[1]}")
    server.start()
    server.wait_for(lambda: "warning" not in server.get("/readyz", key=None).json())
    assert verify_ledger(server).returncode == 0


def test_no_ledger_is_no_good_ledger(tmp_path):
    done = subprocess.run([harness.binary(), "verify-ledger", "--data", tmp_path / "nowhere"],
                          capture_output=True, text=True, timeout=60)
    # Not 1: nothing was altered.
    assert done.returncode == 2 and "nowhere" in done.stderr and done.stdout == "", done
    done = subprocess.run([harness.binary(), "verify-ledger", "--player", "7"],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 2


def earn_with_key(player, key):
    return player.post("/v1/earn", json={"amount": 1}, headers={"Idempotency-Key": key})


@pytest.mark.crash
def test_reads_go_on_while_the_writer_stands_still(server_with):
    server = server_with(play_workers=8)
    player = server.player("ann")
    player.post("/v1/earn", json={"amount": 1})
    with concurrent.futures.ThreadPoolExecutor(16) as pool, server.stopped("writer") as (pid,):
        waiting = [pool.submit(earn_with_key, player, f"k{i}") for i in range(16)]
        # Four workers wait for the writer; what finds no room among them is refused.
        server.wait_for(lambda: sum(w.done() for w in waiting) == 12)
        for path in ("/v1/balance", "/v1/ledger", "/v1/me") * 5:
            assert player.get(path).status_code == 200
        # And the four still wait.
        assert sum(w.done() for w in waiting) == 12
        for answer in (w.result() for w in waiting if w.done()):
            assert answer.headers["Retry-After"] == "1"
            assert "nothing was stored" in refused(answer, 503, "busy")
        os.kill(pid, signal.SIGCONT)
        assert sorted(w.result().status_code for w in waiting) == [200] * 4 + [503] * 12
    assert player.get("/v1/balance").json()["balance"] == 1 + 4
    # The same keys settle it.
    assert all(earn_with_key(player, f"k{i}").status_code == 200 for i in range(16))
    assert player.get("/v1/balance").json()["balance"] == 1 + 16


@pytest.mark.crash
@pytest.mark.asan
@pytest.mark.parametrize("key, advice", [("k", "repeat it with the same Idempotency-Key"),
                                         (None, "look for it in GET /v1/ledger")])
def test_an_unknown_outcome_says_how_to_settle_it(server_with, key, advice):
    # One worker, so that the writer has taken its connection before it stops.
    server = server_with(play_workers=1)
    player = server.player("ann")
    player.post("/v1/earn", json={"amount": 1})
    headers = {"Idempotency-Key": key} if key else {}

    def earn():
        return player.post("/v1/earn", json={"amount": 10}, headers=headers)

    with concurrent.futures.ThreadPoolExecutor(1) as pool, server.stopped("writer") as (pid,):
        waiting = pool.submit(earn)
        server.wait_for(lambda: server.taken_slots("play") == 1)
        time.sleep(0.1)  # from the slot to the sending, which cannot be seen from here
        os.kill(pid, signal.SIGKILL)
    assert advice in refused(waiting.result(), 503, "unknown_outcome")
    assert waiting.result().headers["Retry-After"] == "1"
    server.wait_for(lambda: earn().status_code == 200)
    amounts = [entry["amount"] for entry in player.get("/v1/ledger").json()["data"]]
    assert amounts == [10, 1], "it was stopped before it read the first one"
    if key:
        assert earn().headers["Idempotent-Replayed"] == "true"
    assert player.get("/v1/balance").json()["balance"] == 11
