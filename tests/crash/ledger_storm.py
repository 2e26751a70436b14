"""A storm of earn, spend and event batches on a real service, and the books that its clients keep.

    storm = Storm(server, players=3, clients=8)
    storm.blow()                 # requests from all clients, until
    storm.calm()                 # each has settled what it had under way, and one more
    storm.check()                # the database holds what was acknowledged, and nothing else

A request whose outcome is unknown (a 5xx, a cut connection) is repeated, byte for byte, until it
is answered: by then it counts once or, refused, not at all.  Every effect carries its request's
key in a text that is stored (the reason, the event_id), so that a row that should not be there
says where it came from.
"""

import http.client
import json
import threading
import time
from collections import Counter, namedtuple

import harness

# What a client may see while processes are killed and the disk fails; then it asks again.
PASSING = (500, 502, 503, 504, 507)
SETTLE_SECONDS = 20

Effect = namedtuple("Effect", "player operation amount reason balance event")
Request = namedtuple("Request", "path headers body")


class Broken(AssertionError):
    """The books and the database differ; `kinds` counts the faults by kind."""

    def __init__(self, faults):
        self.kinds = Counter(kind for kind, _ in faults)
        super().__init__(f"{dict(self.kinds)}: {faults[:8]}")


class Books:
    """What was answered since the last check; filled by all clients."""

    def __init__(self):
        self.lock = threading.Lock()
        self.effects = {}   # ledger id -> Effect
        self.events = {}    # (player, event_id) -> id
        self.refused = set()  # keys and event_ids of what was refused
        self.wrong = []     # (kind, what): an answer that was wrong already
        self.outcomes = Counter()

    def effect(self, ledger_id, effect):
        with self.lock:
            self.outcomes[effect.operation] += 1
            # Two requests with two keys and one ledger entry: one of them has no effect.
            if self.effects.setdefault(ledger_id, effect) != effect:
                self.wrong.append(("lost", f"entry {ledger_id} was given to {effect} and to "
                                           f"{self.effects[ledger_id]}"))

    def refuse(self, key, why):
        with self.lock:
            self.refused.add(key)
            self.outcomes[why] += 1

    def stored(self, player, event_ids, ids):
        with self.lock:
            self.outcomes["events"] += len(ids)
            self.events.update(((player, e), i) for e, i in zip(event_ids, ids))

    def complain(self, kind, what):
        with self.lock:
            self.wrong.append((kind, what))

    def note(self, what):
        with self.lock:
            self.outcomes[what] += 1


class Client(threading.Thread):
    def __init__(self, storm, number, player):
        super().__init__(name=f"client {number}", daemon=True)
        self.storm, self.books, self.player = storm, storm.books, player
        self.rng = harness.Dice(f"{storm.name} {storm.seed} {number}")
        self.number, self.count, self.settled = number, 0, 0
        self.connection, self.port = None, None
        self.is_idle = threading.Event()
        self.failure = None
        self.last = None  # the request answered last, and its answer

    def run(self):
        try:
            while not self.storm.is_over:
                if not self.storm.blows.is_set():
                    self.is_idle.set()
                    self.storm.blows.wait()
                    self.is_idle.clear()
                    continue
                self.act()
                self.settled += 1
        except Exception as e:  # told by the thread that checks
            self.failure = e
        self.is_idle.set()

    # Requests

    def key(self):
        self.count += 1
        return f"{self.storm.name}-{self.number}-{self.count}"

    def send(self, request):
        """(status, headers, body) or None when the connection was cut."""
        try:
            if self.port != self.storm.server.port:
                self.hang_up()
                self.port = self.storm.server.port
            if not self.connection:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)
            self.connection.request("POST", request.path, request.body, request.headers)
            answer = self.connection.getresponse()
            return answer.status, answer.headers, answer.read()
        except (OSError, http.client.HTTPException):
            self.hang_up()
            return None

    def hang_up(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def settle(self, request):
        """Repeats the request until its outcome is known."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            answer = self.send(request)
            if answer and answer[0] not in PASSING:
                return answer[0], answer[1], json.loads(answer[2])
            self.books.note(answer[0] if answer else "cut")
            assert time.monotonic() < deadline and not self.storm.is_over, \
                f"{request.path} is not settled after {SETTLE_SECONDS} s: {answer}"
            time.sleep(0.003)

    def request(self, path, body, content_type="application/json", **headers):
        return Request(path, {"Authorization": f"Bearer {self.player['token']}",
                              "Content-Type": content_type, **headers}, body)

    def act(self):
        kind = self.rng.random()
        if kind < 0.45:
            self.move("earn", self.rng.randint(1, 1000))
        elif kind < 0.7:
            self.move("spend", self.rng.randint(1, 2000))
        elif kind < 0.88:
            self.send_events(self.rng.randint(1, self.storm.batch_max),
                             self.rng.choice(["json", "ndjson"]))
        elif kind < 0.94 and self.last:
            self.repeat()
        else:
            self.ask_badly()

    def move(self, operation, amount):
        key = self.key()
        request = self.request(f"/v1/{operation}",
                               json.dumps({"amount": amount, "reason": key}).encode(),
                               **{"Idempotency-Key": key})
        status, _, answer = self.settle(request)
        if status == 200:
            self.last = request, answer
            self.books.effect(answer["ledger_id"], Effect(
                self.player["id"], operation, amount, key, answer["balance"], answer["event_id"]))
            return
        assert status == 409 and answer["code"] == "insufficient_funds", (status, answer)
        assert operation == "spend", answer
        self.books.refuse(key, "no funds")

    def repeat(self):
        """What has been answered is answered again, in the same words."""
        request, before = self.last
        status, headers, answer = self.settle(request)
        if status != 200 or answer != before or headers["Idempotent-Replayed"] != "true":
            self.books.complain("repeated", f"{before} was asked again and became {answer}")
        self.books.note("replayed")

    def ask_badly(self):
        """Each is refused, and nothing of it is stored."""
        key = self.key()
        body, headers = {"amount": 5, "reason": key}, {"Idempotency-Key": key}
        how = self.rng.choice(["amount", "huge", "other body"])
        if how == "other body" and self.last:
            headers["Idempotency-Key"] = self.last[0].headers["Idempotency-Key"]
            path = self.last[0].path
        else:
            path = "/v1/earn"
            body["amount"] = 10**12 + 1 if how == "huge" else 0
        status, _, answer = self.settle(self.request(path, json.dumps(body).encode(), **headers))
        if status == 200 and how == "other body":
            self.books.complain("lost", f"{headers} is taken as a key that nobody has used")
            return
        assert status == 422, (how, status, answer)
        self.books.refuse(key, "invalid")

    def send_events(self, count, form):
        key = self.key()
        ids = [f"{key}-{i}" for i in range(count)]
        bad = {self.rng.randrange(count)} if self.rng.random() < 0.3 else set()
        items = [{"event_type": "not a type" if i in bad else self.rng.choice(["jump", "run", "die"]),
                  "event_id": ids[i], "meta": {"i": i, "text": self.storm.text}} for i in range(count)]
        if form == "json":
            request = self.request("/v1/events", json.dumps(items).encode())
        else:
            request = self.request("/v1/events", "".join(json.dumps(item) + "\n" for item in items),
                                   "application/x-ndjson")
        status, _, answer = self.settle(request)
        assert status == 200, (status, answer)
        results = answer["data"]
        assert [r["status"] == "refused" for r in results] == [i in bad for i in range(count)], answer
        good = [i for i in range(count) if i not in bad]
        self.books.stored(self.player["id"], [ids[i] for i in good],
                          [results[i]["id"] for i in good])
        for i in bad:
            self.books.refuse(ids[i], "bad item")


# One snapshot each; the rows since the last check are compared one by one, all rows in sums.
PLAYER_SQL = """
    SELECT p.id, p.balance, p.ledger_count, coalesce(l.total, 0), coalesce(l.entries, 0),
           coalesce((SELECT balance_after FROM ledger_entry WHERE id = l.newest), 0)
    FROM player p LEFT JOIN (
        SELECT player_id, count(*) AS entries, max(id) AS newest,
               sum(CASE operation WHEN 'earn' THEN amount ELSE -amount END) AS total
        FROM ledger_entry GROUP BY player_id) l ON l.player_id = p.id"""
LEDGER_SQL = """
    SELECT l.id, l.player_id, l.operation, l.amount, l.reason, l.balance_after, l.event_id,
           i.key, t.name
    FROM ledger_entry l LEFT JOIN idempotency i ON i.player_id = l.player_id
         AND i.operation = l.operation AND i.key = l.reason AND i.ledger_id = l.id
         LEFT JOIN event e ON e.id = l.event_id AND e.player_id = l.player_id
         LEFT JOIN event_type t ON t.id = e.type_id
    WHERE l.id > ?"""
EVENT_SQL = "SELECT player_id, client_id, id FROM event WHERE id > ? AND client_id IS NOT NULL"
COUNTS_SQL = """
    SELECT (SELECT count(*) FROM ledger_entry), (SELECT count(*) FROM idempotency),
           (SELECT count(*) FROM event), (SELECT sum(event_count) FROM event_type),
           (SELECT sum(event_count) FROM player_event_count)"""


class Storm:
    def __init__(self, server, players=3, clients=8, seed=0, name="storm", batch_max=30,
                 event_bytes=0):
        """A batch has up to batch_max events of event_bytes; above 2 MB it is stored in parts."""
        self.server, self.seed, self.name = server, seed, name
        self.batch_max, self.text = batch_max, "x" * event_bytes
        self.books = Books()
        self.blows, self.is_over = threading.Event(), False
        self.ledger_seen = self.event_seen = 0      # highest ids that were checked
        self.ledger_count = self.event_count = 0    # rows up to them
        self.totals = Counter()
        self.players = [self.register(i) for i in range(players)]
        self.clients = [Client(self, i, self.players[i % players]) for i in range(clients)]
        for client in self.clients:
            client.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.is_over = True
        self.blows.set()
        for client in self.clients:
            client.join(30)

    def register(self, number):
        answer = self.server.post("/v1/register", key=None, json={
            "username": f"{self.name}-{number}", "password": "a storm is coming"})
        assert answer.status_code == 201, answer.text
        player = {"id": answer.json()["player"]["id"], "token": answer.json()["token"]}
        # A service that answers before it commits may not know the token yet.
        self.server.wait_for(lambda: self.balance(player).status_code == 200)
        return player

    def balance(self, player):
        return self.server.get("/v1/balance", key=None,
                               headers={"Authorization": f"Bearer {player['token']}"})

    def blow(self):
        self.blows.set()

    def calm(self):
        """After a kill: when every client has had one more answer, and none has a question."""
        marks = [client.settled for client in self.clients]
        self.server.wait_for(
            lambda: all(c.settled > mark or c.failure for c, mark in zip(self.clients, marks)),
            SETTLE_SECONDS + 5)
        self.pause()

    def pause(self):
        self.blows.clear()
        for client in self.clients:
            assert client.is_idle.wait(SETTLE_SECONDS + 5), f"{client.name} is still at it"
        failures = [client.failure for client in self.clients if client.failure]
        if failures:
            raise failures[0]

    # Books against the database

    def read(self):
        with self.server.database() as db:
            db.execute("BEGIN")
            return (db.execute(PLAYER_SQL).fetchall(),
                    db.execute(LEDGER_SQL, (self.ledger_seen,)).fetchall(),
                    db.execute(EVENT_SQL, (self.event_seen,)).fetchall(),
                    db.execute(COUNTS_SQL).fetchone())

    def check(self):
        """Raises Broken with all that is wrong."""
        players, entries, events, counts = self.read()
        faults = [*self.books.wrong, *self.player_faults(players), *self.ledger_faults(entries),
                  *self.event_faults(events), *self.count_faults(counts, entries, events)]
        if faults:
            raise Broken(faults)
        self.totals += self.books.outcomes
        self.ledger_seen = max([self.ledger_seen, *(e[0] for e in entries)])
        self.event_seen = max([self.event_seen, *(e[2] for e in events),
                               *(e[6] for e in entries)])
        self.ledger_count, self.event_count = counts[0], counts[2]
        self.books = Books()
        for client in self.clients:
            client.books = self.books

    @staticmethod
    def player_faults(players):
        for player, balance, ledger_count, total, entries, last in players:
            if not balance == total == last or ledger_count != entries:
                yield "balance", (f"player {player}: balance {balance}, sum {total}, last "
                                  f"{last}, {entries} entries, {ledger_count} counted")

    def ledger_faults(self, entries):
        told = {effect.reason for effect in self.books.effects.values()}
        missing = dict(self.books.effects)
        for ledger_id, player, operation, amount, reason, balance, event, key, kind in entries:
            effect = missing.pop(ledger_id, None)
            found = Effect(player, operation, amount, reason, balance, event)
            if effect is None:
                kind_of = ("repeated" if reason in told else
                           "refused" if reason in self.books.refused else "unknown")
                yield kind_of, f"ledger entry {ledger_id}: {found}"
            elif effect != found:
                yield "lost", f"ledger entry {ledger_id}: told {effect}, stored {found}"
            elif key is None or kind != operation:
                yield "apart", f"ledger entry {ledger_id}: key {key}, event {kind}"
        for ledger_id, effect in missing.items():
            yield "lost", f"ledger entry {ledger_id}: {effect}"

    def event_faults(self, events):
        missing = dict(self.books.events)
        for player, client_id, event_id in events:
            told = missing.pop((player, client_id), None)
            if told is None:
                kind = "refused" if client_id in self.books.refused else "unknown"
                yield kind, f"event {event_id}, {client_id}"
            elif told != event_id:
                yield "repeated", f"event {client_id}: told {told}, stored {event_id}"
        for (_, client_id), event_id in missing.items():
            yield "lost", f"event {event_id}, {client_id}"

    def count_faults(self, counts, entries, events):
        """Rows of earlier cycles stay; nothing is counted that is not there."""
        ledger, keys, event, by_type, by_player = counts
        expected = (self.ledger_count + len(entries),
                    self.event_count + len(entries) + len(events))
        if (ledger, event) != expected:
            yield "lost", f"(entries, events) are {(ledger, event)}, not {expected}"
        if keys != ledger:
            yield "apart", f"{ledger} entries, {keys} idempotency keys"
        if not event == (by_type or 0) == (by_player or 0):
            yield "counts", f"{event} events, {by_type} by type, {by_player} by player"
