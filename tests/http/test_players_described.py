"""What players' routes answer, each well and badly, is what openapi.yaml says of them; limits,
walks and leaving as the contract has them."""

import concurrent.futures

import pytest

import described
import harness

PASSWORD = "correct horse"
READ = "1" * 64
HOST = "game.example"
# nginx's, the writer's and the disk's; a player who leaves between two looks; 9,007 earns.
NOT_PROVOKED = {("any", 404), ("any", 429), ("any", 503), ("any", 507), ("earn", 409)}


@pytest.fixture(scope="module")
def server():
    server = harness.Server({"players.track_redirect_hosts": f"[{HOST}]"}, play_workers=8)
    server.edit_config(lambda text: text.replace(
        "\nkeys: []\n", f'\nkeys:\n  - {{client: reader, scope: read, key: "{READ}"}}\n'))
    with server:
        yield server


class Caller:
    """Every answer is held to the description."""

    def __init__(self, server):
        self.server = server
        self.description = described.Description(server.get("/openapi.json").json())
        self.token = None

    def __call__(self, status, method, path, key=None, headers=None, token=True, **more):
        headers = dict(headers or {})
        if token and self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        answer = self.server.request(method, path, key=key, headers=headers, **more)
        assert answer.status_code == status, (method, path, answer.text)
        self.description.check(method, path, answer)
        return answer


def come_in(call):
    ann = {"username": "ann", "password": PASSWORD}
    call(201, "POST", "/v1/register", json=ann)
    call(409, "POST", "/register", json={**ann, "username": "ANN"})
    call(201, "POST", "/v1/login", json={**ann, "username": "bob"})
    call(401, "POST", "/v1/login", json={**ann, "password": "wrong password"})
    login = call(200, "POST", "/login", json=ann).json()
    call.token = login["token"]
    used = login["refresh_token"]
    for _ in range(2):
        call(200, "POST", "/v1/refresh", json={"refresh_token": used})
    for path in ("/v1/register", "/v1/login", "/v1/refresh"):
        call(400, "POST", path, data=b"{", headers={"Content-Type": "application/json"})
        assert "65536" in call(413, "POST", path, json={"username": "x" * 70000}).json()["detail"]
        call(415, "POST", path, data={"username": "ann"})
        call(422, "POST", path, json={"username": 1})
    call(200, "GET", "/v1/me")
    call(400, "GET", "/me?x=1")
    passwords = {"old_password": PASSWORD, "new_password": "battery staple"}
    call(401, "POST", "/v1/me/password", json={**passwords, "old_password": "x"})
    call(422, "POST", "/v1/me/password", json={**passwords, "new_password": "x"})
    call(400, "POST", "/v1/me/password", data=b"", headers={"Content-Type": "application/json"})
    call(413, "POST", "/v1/me/password", json={"old_password": "x" * 70000})
    call(415, "POST", "/v1/me/password", data="x", headers={"Content-Encoding": "gzip"})
    call(204, "POST", "/me/password", json=passwords)
    call(401, "POST", "/v1/refresh", json={"refresh_token": "none"})
    call.token = call(200, "POST", "/v1/login", json={
        "username": "ann", "password": "battery staple"}).json()["token"]


def change_balance(call):
    key = {"Idempotency-Key": "k"}
    for path in ("/v1/earn", "/spend"):
        body = {"amount": 2, "reason": "r"}
        first = call(200, "POST", path, json=body, headers=key)
        again = call(200, "POST", path, json=body, headers=key)
        assert (again.content, again.headers["Idempotent-Replayed"]) == (first.content, "true")
        call(400, "POST", path, json=body, headers={"Idempotency-Key": "k" * 129})
        call(401, "POST", path, json=body, token=False)
        assert "524288" in call(413, "POST", path, data=b" " * 530000).json()["detail"]
        call(415, "POST", path, data={"amount": 1})
        call(422, "POST", path, json={**body, "amount": 3}, headers=key)
        call(422, "POST", path, json={"amount": 1.5})
    call(409, "POST", "/v1/spend", json={"amount": 1, "reason": "r"})
    call(200, "POST", "/v1/earn", json={"amount": 10**12})
    for path in ("/v1/balance", "/v1/ledger", "/ledger?limit=1", "/v1/me"):
        call(200, "GET", path)
        call(200, "HEAD", path)
        call(401, "GET", path, token=False)
        call(400, "GET", f"{path.partition('?')[0]}?x=1")


def send_events(call):
    event = {"event_type": "level_up", "meta": [7], "ts_utc": "2026-01-31T08:00:00Z",
             "event_id": "e"}
    call(201, "POST", "/v1/event", json=event)
    call(200, "POST", "/event", json=event)
    call(201, "POST", "/event", json={"event_type": "plain"})
    answer = call(200, "POST", "/v1/events", json=[event, {"event_type": "earn"}, 5, event | {
        "event_id": "f"}])
    assert answer.json()["meta"] == {"total": 4, "stored": 1, "duplicate": 1, "refused": 2}
    for path in ("/v1/event", "/events"):
        call(400, "POST", path, data=b"[", headers={"Content-Type": "application/json"})
        call(401, "POST", path, json=event, token=False)
        for size in (13000, 10 << 20) if path == "/v1/event" else (9217000, 10 << 20):
            answer = call(413, "POST", path, data=b" " * size)
            assert ("12288" if path == "/v1/event" else "9216000") in answer.json()["detail"]
        call(415, "POST", path, data={"event_type": "a"})
    call(422, "POST", "/v1/event", json={"event_type": "spend"})
    call(422, "POST", "/v1/events", json=[event] * 1001)


def show_events(call):
    for who in ({}, {"key": "admin", "token": False}, {"key": "admin"}):
        call(200, "GET", "/v1/events", **who)
        call(200, "GET", "/events?limit=1&event_type=level_up", **who)
        for path in ("/v1/events/stats", "/stats"):
            call(200, "GET", path, **who)
    for path in ("/v1/events", "/v1/events/stats", "/stats"):
        call(400, "GET", f"{path}?x=1")
        call(401, "GET", path, token=False)
    call(403, "GET", "/v1/events", key=READ, token=False)
    for path in ("/v1/events", "/v1/ledger"):
        call(406, "GET", path, headers={"Accept": "image/png"})
    own, all_ = (call(200, "GET", "/stats", key=READ, token=is_own).json()["meta"]["total"]
                 for is_own in (True, False))
    assert own < all_  # a token decides where a key comes too
    call(403, "GET", "/v1/events?player_id=2", key="admin")


def open_links(call):
    for who in ({}, {"token": False}):
        call(200, "GET", "/v1/track?character=a&tag=b&tag=c", **who)
        call(200, "HEAD", "/track", **who)
    call(302, "GET", f"/v1/track?redirect=https://{HOST}/")
    call(400, "GET", "/v1/track?redirect=https://evil.example/")
    call.token, kept = "x", call.token
    call(401, "GET", "/track")
    call.token = kept


def leave(call):
    call(400, "POST", "/v1/logout", json={})
    call(204, "POST", "/logout")
    call(401, "POST", "/v1/logout")
    call.token = call(200, "POST", "/login", json={
        "username": "bob", "password": PASSWORD}).json()["token"]
    call(400, "DELETE", "/v1/me?x=1")
    call(400, "DELETE", "/v1/me", data=b"{", headers={"Content-Type": "application/json"})
    call(401, "DELETE", "/me", json={"password": "wrong password"})
    call(413, "DELETE", "/v1/me", json={"password": "x" * 70000})
    call(415, "DELETE", "/v1/me", data={"password": PASSWORD})
    call(422, "DELETE", "/v1/me", json={"password": 1})
    call(204, "DELETE", "/me", json={"password": PASSWORD})
    call(401, "DELETE", "/v1/me")
    call(401, "POST", "/v1/me/password", json={})


@pytest.mark.asan
def test_every_answer_to_a_player_is_described_and_every_described_answer_is_given(server):
    call = Caller(server)
    for part in (come_in, send_events, change_balance, open_links, show_events, leave):
        part(call)
    described_ones = {(name, int(status))
                      for name, row in call.description.operations("players").items()
                      for status in row["responses"] if status != "default"}
    assert len(described_ones) > 80
    missing = {(name, status) for name, status in described_ones - call.description.seen
               if not {(name, status), ("any", status)} & NOT_PROVOKED}
    assert not missing, sorted(missing)


def test_a_walk_misses_nothing_while_events_and_entries_come(server):
    """Cursors go down from what was newest at the start."""
    walker, ann = server.player("walker"), server.player("walkers-friend")
    for i in range(12):
        walker.post("/v1/earn", json={"amount": i + 1})
    for path in ("/v1/events", "/v1/ledger"):
        whole = [e["id"] for e in walker.get(path).json()["data"]]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            walked, url, more = [], f"{path}?limit=5", []
            while url:
                page = walker.get(url).json()
                walked += [e["id"] for e in page["data"]]
                url = page["page"]["next_url"]
                more += [pool.submit(who.post, "/v1/earn", json={"amount": 1})
                         for who in (walker, ann)]
            assert all(f.result().ok for f in more)
        assert walked == whole


def test_what_a_player_leaves_behind_has_no_name(server):
    name, other = "Leaver.Anonymous", "leaver"
    player = server.player(name)
    server.player(other)
    player.post("/v1/earn", json={"amount": 1})
    for who in (name, other):
        server.post("/v1/login", key=None, json={"username": who, "password": "wrong password"})
    assert player.delete("/v1/me").status_code == 204
    with server.database() as db:
        tables = [row[0] for row in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        text = "\n".join(str(row) for table in tables for row in db.execute(f"SELECT * FROM {table}"))
    assert name.lower() not in text.lower() and f"'{other}'" in text


@pytest.mark.parametrize("limit, path, status, wait", [
    ("accounts", "/v1/login", 422, "6"), ("accounts", "/register", 422, "6"),
    ("play", "/v1/balance", 401, "1"), ("play", "/event", 401, "1")])
def test_players_come_as_often_as_the_shipped_limits_say(shipped, limit, path, status, wait):
    burst = {"accounts": 20, "play": 100}[limit]
    method = "GET" if path.endswith("balance") else "POST"
    body = None if method == "GET" else {}
    statuses = []
    # While they come, a few more become due.
    while len(statuses) < 10 * burst and 429 not in statuses:
        answer = shipped.request(method, path, key=None, json=body)
        statuses.append(answer.status_code)
    assert set(statuses) == {status, 429} and len(statuses) >= 1 + burst + 1
    assert answer.headers["Retry-After"] == wait
    assert answer.json()["code"] == "too_many_requests"
    assert shipped.request(method, path, json=body).status_code == status  # admin is exempt


@pytest.fixture
def shipped(server_with):
    return server_with({"limits.accounts": "10/min burst 20", "limits.play": "20/s burst 100"})
