"""What nginx decides by itself: keys, limits, sizes, its own refusals, headers."""

import csv
import io
import itertools
import json
import os
import re
import signal
import socket
import subprocess
import time

import pytest

import harness

READ, WRITE = "1" * 64, "abcdef0123456789" * 4
KEYS = (f"\nkeys:\n  - {{client: reader, scope: read, key: \"{READ}\"}}\n"
        f"  - {{client: writer, scope: write, key: \"{WRITE}\"}}\n")


def with_keys(text):
    return text.replace("\nkeys: []\n", KEYS)


def load_keys(server):
    """Until no nginx worker is left that does not know them."""
    before = set(server.pids("nginx")[1:])
    server.edit_config(with_keys)
    server.reload()
    server.wait_for(lambda: not before & set(server.pids("nginx")))


@pytest.fixture(scope="module")
def keyed(server):
    load_keys(server)
    return server


def is_whole(answer):
    """Has it as much as it says?  One that does not say how much ends with the connection."""
    head, blank, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"\r\nContent-Length: (\d+)", head, re.IGNORECASE)
    return bool(blank and length) and len(body) >= int(length[1])


def raw(server, data, timeout=15):
    """The whole answer to these bytes: status, headers (lower-case names), body.  The end of the
    connection is not waited for: nginx gives a refused body five seconds to come."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=timeout) as s:
        s.sendall(data)
        answer = b""
        try:
            while not is_whole(answer) and (piece := s.recv(65536)):
                answer += piece
        except ConnectionResetError:
            pass
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    status = int(lines[0].split()[1]) if lines[0] else 0
    headers = dict((n.lower(), v.strip()) for n, _, v in (line.partition(":") for line in lines[1:]))
    return status, headers, body


def check_problem(status, headers, body, expected, code):
    assert status == expected, body
    assert headers["content-type"] == "application/problem+json"
    problem = json.loads(body)
    assert set(problem) >= {"type", "title", "status", "detail", "code", "request_id"}
    assert problem["status"] == expected
    assert problem["code"] == code
    assert problem["request_id"] == headers["x-request-id"]


# Its own refusals

@pytest.mark.parametrize("request_bytes, status, code", [
    (b"NONSENSE\r\n\r\n", 400, "malformed"),
    (b"GET / HTTP/1.1\r\n\r\n", 400, "malformed"),
    (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414, "uri_too_long"),
    (b"GET / HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 9000 + b"\r\n\r\n", 431, "headers_too_large"),
    (b"TRACE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 405, "method_not_allowed"),
    (b"POST /api/ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 70000\r\n\r\n",
     413, "too_large"),
    (b"POST /api/ping HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 501,
     "not_implemented"),
    (b"POST /api/upload_csv HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1\r\n\r\n",
     401, "unauthorized"),
    (b"GET /v1/datasets HTTP/1.1\r\nHost: x\r\nX-API-Key: wrong\r\nConnection: close\r\n\r\n", 401,
     "unauthorized"),
    (b"GET /v1/datasets HTTP/1.1\r\nHost: x\r\nX-API-Key: a:\r\nConnection: close\r\n\r\n", 401,
     "unauthorized"),
])
def test_refusals_have_the_shape_of_a_problem(server, request_bytes, status, code):
    check_problem(*raw(server, request_bytes), status, code)


def test_a_dead_pool_gives_502_as_a_problem(own_server):
    server = own_server
    # Stopped in the middle of a request is hard to hit; a socket that nobody made is not.
    os.rename(os.path.join(server.data, "run/query.sock"), os.path.join(server.data, "run/away"))
    answer = server.get("/v1/datasets")
    os.rename(os.path.join(server.data, "run/away"), os.path.join(server.data, "run/query.sock"))
    check_problem(answer.status_code, {k.lower(): v for k, v in answer.headers.items()},
                  answer.content, 502, "bad_gateway")
    assert server.get("/v1/datasets").status_code == 200


def test_a_request_that_never_comes_is_ended_without_a_body(server):
    start = time.monotonic()
    status, _, body = raw(server, b"GET / HTTP/1.1\r\nHost: x\r\n", timeout=60)
    assert time.monotonic() - start >= 9
    assert status in (0, 408) and body == b""


# Keys and scopes

@pytest.mark.asan
def test_scopes_are_kept(keyed):
    path = "/v1/datasets/scoped/imports"
    body = {"data": b"a,b\n1,2\n", "headers": {"Content-Type": "text/csv"}}
    assert keyed.post(path, key=None, **body).status_code == 401
    assert keyed.post(path, key=READ, **body).status_code == 403
    assert keyed.post(path, key=WRITE, **body).status_code == 202
    assert keyed.get("/v1/jobs", key=None).status_code == 401
    assert keyed.get("/v1/jobs", key=READ).status_code == 200
    assert keyed.get("/v1/jobs", key="0" * 64).status_code == 401
    assert keyed.get("/v1/jobs", key=READ + "0").status_code == 401


def test_headers_cannot_pose_as_what_nginx_decided(server):
    for name in ["PM-Scope", "PM_SCOPE", "Pm-Client", "HTTP-PM-SCOPE"]:
        assert server.get("/v1/jobs", key=None, headers={name: "admin"}).status_code == 401


def test_two_keys_in_one_request_are_refused(keyed):
    request = (f"GET /v1/jobs HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-API-Key: {READ}\r\n"
               f"X-API-Key: {WRITE}\r\n\r\n")
    status, _, _ = raw(keyed, request.encode())
    assert status in (400, 401)


@pytest.mark.parametrize("key, expected", [(None, 401), (READ, 403)])
def test_scope_is_checked_before_the_body_is_read(keyed, key, expected):
    head = (f"POST /v1/datasets/big/imports HTTP/1.1\r\nHost: x\r\nContent-Length: 150000000\r\n"
            + (f"X-API-Key: {key}\r\n" if key else "") + "\r\n")
    # No byte of the body is sent: who waits for it says 408 in the end.
    with socket.create_connection(("127.0.0.1", keyed.port), timeout=30) as s:
        s.sendall(head.encode())
        answer = s.recv(4096)
    assert answer.startswith(f"HTTP/1.1 {expected} ".encode())


def test_a_hundred_keys_fit_the_map(own_server):
    lines = [f"  - {{client: c{i}, scope: read, key: \"{i:064x}\"}}" for i in range(1, 101)]
    own_server.edit_config(
        lambda text: text.replace("\nkeys: []\n", "\nkeys:\n" + "\n".join(lines) + "\n"))
    own_server.reload()
    own_server.wait_for(
        lambda: own_server.get("/v1/jobs", key=f"{100:064x}").status_code == 200)
    assert own_server.get("/v1/jobs", key=f"{101:064x}").status_code == 401


# Bodies

def test_sizes_are_bounded_everywhere_and_big_only_where_a_file_is_expected(server_with):
    server = server_with({"imports.file_bytes_max": "1MiB"})
    big = b"a,b\n" + b"1,2\n" * 600000  # 2.4 MB
    answer = server.post("/v1/datasets/x/imports", data=big, headers={"Content-Type": "text/csv"})
    assert answer.status_code == 413
    assert answer.json()["code"] == "too_large"
    assert "is 1 MiB (imports.file_bytes_max" in answer.json()["detail"]
    small = server.post("/v1/datasets/x/versions", data=b"x" * 70000)
    assert small.status_code == 413
    assert small.json()["detail"] == \
        "The body is larger than this path takes, which is at most 65536 bytes."


def test_no_body_is_left_in_nginx_s_folder(server):
    server.import_csv("bodies", b"a,b\n1,2\n")
    folder = os.path.join(server.data, "nginx/body")
    server.wait_for(lambda: not [f for _, _, files in os.walk(folder) for f in files])


def test_a_chunked_body_is_taken(server):
    request = (f"POST /v1/datasets/chunked/imports HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
               f"X-API-Key: {server.admin_key}\r\nContent-Type: text/csv\r\n"
               "Transfer-Encoding: chunked\r\n\r\n4\r\na,b\n\r\n4\r\n1,2\n\r\n0\r\n\r\n")
    status, _, body = raw(server, request.encode())
    assert status == 202
    assert server.wait_job(json.loads(body))["state"] == "succeeded"


# Limits

def unread(server, path, header):
    """A client that asks and reads no more than the status; and the status."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(15)
    client.connect(("127.0.0.1", server.port))
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: h\r\n{header}\r\n\r\n".encode())
    return client, int(client.recv(12).split()[1])


def test_unread_lists_are_few_and_hold_up_nothing_else(server_with):
    server = server_with({"limits.pages": "2"})
    ann = server.player("ann")
    for _ in range(3):
        items = [{"event_type": "big", "meta": "x" * 8000}] * 300
        assert ann.post("/v1/events", json=items).json()["meta"]["stored"] == 300
    page = "/v1/events?limit=1000"
    clients = [unread(server, page, f"Authorization: Bearer {ann.token}") for _ in range(6)]
    try:
        assert [status for _, status in clients] == [200, 200, 429, 429, 429, 429]
        refused = ann.get("/v1/ledger")
        check_problem(429, {k.lower(): v for k, v in refused.headers.items()}, refused.content, 429,
                      "too_many_requests")
        assert ann.post("/v1/earn", json={"amount": 5}).json()["balance"] == 5
        assert ann.post("/v1/events", json=[{"event_type": "small"}]).ok
        assert ann.get("/v1/balance").ok and ann.get("/v1/events/stats").ok
        # An admin's key is not counted.
        assert server.get(page).ok
    finally:
        for client, _ in clients:
            client.close()
    server.wait_for(lambda: ann.get(page).ok)


def test_unread_pages_without_a_key_are_few(server_with, games_csv):
    server = server_with({"limits.pages": "2"})
    with open(games_csv, newline="", encoding="utf-8") as f:
        games = list(itertools.islice(csv.DictReader(f), 1000))
    text = io.StringIO()
    writer = csv.DictWriter(text, games[0])
    writer.writeheader()
    writer.writerows({**game, "About the game": "long " * 1600} for game in games)
    server.import_csv("games", text.getvalue().encode())
    page = "/v1/datasets/games/rows?limit=1000&fields=about_game"
    clients = [unread(server, page, "Accept: application/json") for _ in range(4)]
    try:
        assert [status for _, status in clients] == [200, 200, 429, 429]
        assert server.get(page).ok and server.get(page, key=None).status_code == 429
        assert server.get("/readyz", key=None).ok
    finally:
        for client, _ in clients:
            client.close()
    server.wait_for(lambda: server.get(page, key=None).ok)


def test_limits_answer_429_and_spare_keys(server_with):
    server = server_with({"limits.reads": "1/s burst 2"})
    answers = [server.get("/api/ping", key=None) for _ in range(12)]
    refused = [a for a in answers if a.status_code == 429]
    assert refused
    assert int(refused[0].headers["Retry-After"]) >= 1
    check_problem(429, {k.lower(): v for k, v in refused[0].headers.items()}, refused[0].content,
                  429, "too_many_requests")
    assert all(server.get("/api/ping").status_code == 200 for _ in range(12))


def test_imports_are_limited_per_client_and_admin_is_exempt(server_with):
    server = server_with({"limits.imports": "2/min burst 1"})
    load_keys(server)
    statuses = [server.post("/v1/datasets/x/imports", key=WRITE, data=b"a\n1\n",
                            headers={"Content-Type": "text/csv"}) for _ in range(4)]
    assert [a.status_code for a in statuses] == [202, 202, 429, 429]
    assert statuses[-1].headers["Retry-After"] == "30"
    for _ in range(4):
        assert server.post("/v1/datasets/x/imports", data=b"a\n1\n",
                           headers={"Content-Type": "text/csv"}).status_code == 202


def test_exports_of_one_client_are_limited_while_pages_go_on(server_with):
    server = server_with({"limits.exports": "2"}, query_workers=8)
    # More than the kernel takes from nginx for a client that does not read.
    rows = "".join(f"{i},{'x' * 1000}\n" for i in range(16000))
    server.import_csv("wide", b"id,text\n" + rows.encode())
    request = (f"GET /v1/datasets/wide/rows?format=csv HTTP/1.1\r\nHost: x\r\n"
               f"X-API-Key: {server.admin_key}\r\nConnection: close\r\n\r\n").encode()
    readers = []
    try:
        for _ in range(2):
            s = socket.socket()
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            s.settimeout(15)
            s.connect(("127.0.0.1", server.port))
            s.sendall(request)
            readers.append(s)
            assert s.recv(100).startswith(b"HTTP/1.1 200 ")
        for path in ["rows?format=csv", "rows?format=c%73v", "rows?%66ormat=csv"]:
            assert server.get(f"/v1/datasets/wide/{path}").status_code == 429, path
        for accept in ["application/x-ndjson", "text/csv", "TEXT/CSV", "text/*",
                       "application/json;q=0, */*", "*/*;q=0.5, application/json;q=0.1",
                       "application/*;q=0.9, application/json ; Q=0", "application/*;q=0, */*"]:
            answer = server.get("/v1/datasets/wide/rows", headers={"Accept": accept})
            assert answer.status_code == 429, accept
        for accept in ["*/*", "application/json", "application/*", "",
                       "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"]:
            answer = server.get("/v1/datasets/wide/rows?limit=5", headers={"Accept": accept})
            assert answer.status_code == 200, accept
            assert answer.headers["Content-Type"] == "application/json"
        # What has pages in every form is no export, and those that have none are not mistaken for it.
        player = server.player("exporting")
        desk = ["/v1/datasets", "/v1/datasets/wide/versions", "/v1/jobs", "/v1/reports",
                "/v1/reports/runs"]
        for caller, paths in ((server, desk), (player, ["/v1/events", "/ledger"])):
            for path in paths:
                answer = caller.get(f"{path}?format=csv")
                assert answer.status_code == 200, (path, answer.text)
        for path in ["/v1/reports/roas_d1", "/v1/jobs/x/rejects", "/v1/datasets/versions/rows"]:
            assert server.get(f"{path}?format=csv").status_code == 429, path
    finally:
        for s in readers:
            s.close()


# Answers

def test_request_ids_are_taken_or_made(server):
    assert server.get("/api/ping", headers={"X-Request-Id": "my-id.1_A"}).headers["X-Request-Id"] \
        == "my-id.1_A"
    for bad in ["", "a" * 65, "a b", 'a"b', "a/b"]:
        made = server.get("/api/ping", headers={"X-Request-Id": bad}).headers["X-Request-Id"]
        assert made != bad and len(made) == 32


def test_every_answer_carries_the_security_headers_once(server):
    for path in ["/api/ping", "/v1/nothing"]:
        answer = server.get(path)
        assert answer.headers["Server"] == "nginx"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert len(answer.raw.headers.getlist("X-Request-Id")) == 1
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_gzip_weakens_etags_and_they_still_match(games):
    path = "/v1/datasets/games/rows?limit=50"
    answer = games.get(path, headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["ETag"].startswith('W/"')
    again = games.get(path, headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304 and again.content == b""


def test_other_origins_are_let_in_by_the_file_alone(server_with):
    server = server_with({"http.cors_origins": "[\"https://game.example\"]"})
    ours = {"Origin": "https://game.example"}
    answer = server.get("/api/ping", headers=ours)
    assert answer.headers["Access-Control-Allow-Origin"] == "https://game.example"
    assert "Origin" in answer.headers["Vary"]
    preflight = server.request("OPTIONS", "/v1/datasets/x/imports", key=None, headers={
        **ours, "Access-Control-Request-Method": "POST"})
    assert preflight.status_code == 204
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    # A game sends a token, an Idempotency-Key, and batches that are packed.
    assert {"Authorization", "Content-Encoding", "Content-Type", "Idempotency-Key", "X-API-Key"} \
        <= set(preflight.headers["Access-Control-Allow-Headers"].split(", "))
    assert "Idempotent-Replayed" in preflight.headers["Access-Control-Expose-Headers"]
    refused = server.get("/v1/jobs", key=None, headers=ours)
    assert refused.status_code == 401
    assert refused.headers["Access-Control-Allow-Origin"] == "https://game.example"
    assert "Access-Control-Allow-Origin" not in server.get(
        "/api/ping", headers={"Origin": "https://evil.example"}).headers


def table():
    return json.loads(run("routes", "--json").stdout)


def paths_of(row):
    return [row["path"]] + [row["path"].removeprefix("/v1")] * row["at_root"]


def is_of_players(row):
    return row["player"] != "none" or row["path"] in ("/v1/register", "/v1/login", "/v1/refresh")


def test_a_path_of_players_is_answered_by_their_pool():
    rows = table()
    assert len([row for row in rows if is_of_players(row)]) > 15
    for row in rows:
        wanted = {"play": ("play", "accounts"), "query": ("none", "reads", "imports")}
        assert row["pool"] == ("play" if is_of_players(row) else "query"), row
        assert row["zone"] in wanted[row["pool"]], row
        assert (row["zone"] == "accounts") == (row["path"] in ("/v1/register", "/v1/login")), row


def test_every_path_has_the_location_of_its_rows(tmp_path):
    folder = tmp_path / "conf"
    assert run("nginx-config", "--output", str(folder)).returncode == 0
    text = (folder / "locations.conf").read_text(encoding="utf-8")
    written = re.findall(r"(?ms)^location (=|~) (\S+) \{\n(.*?)^\}$", text)
    exact = {path: lines for kind, path, lines in written if kind == "="}
    patterns = [(re.compile(path), lines) for kind, path, lines in written if kind == "~"]
    assert len(exact) + len(patterns) == len(written) > 50  # none stands twice
    rows, used = table(), set()
    for row in rows:
        for path in paths_of(row):
            of_path = [r for r in rows if r["path"] == row["path"]]
            path = re.sub(r"\{\w+\}", "some.thing", path)
            lines = exact.get(path) or next(lines for p, lines in patterns if p.search(path))
            used.add(lines)
            assert f"include zone_{row['zone']}.conf;" in lines, path
            assert f"fastcgi_pass {row['pool']};" in lines, path
            size = re.search(r"client_max_body_size (\d+);", lines)
            assert bool(size) != any(r["body_file"] for r in of_path), path
            assert not size or int(size[1]) >= max(r["body_bytes_max"] for r in of_path), path
            assert ("include big_body.conf;" in lines) != bool(size), path
    assert used == {lines for _, _, lines in written}


def test_every_path_is_answered_by_the_pool_of_its_row(server):
    roles = {}
    for row in table():
        for path in paths_of(row):
            name = f"pool.{len(roles)}"
            roles[name] = row["pool"]
            answer = server.request("OPTIONS", re.sub(r"\{\w+\}", "x", path),
                                    headers={"X-Request-Id": name})
            assert answer.status_code == 204, path
    assert len(roles) > 60

    def answered():  # written after the answer is sent
        lines = [json.loads(line) for line in server.log().splitlines()
                 if line.startswith("{") and line.endswith("}")]
        return {line["request_id"]: line["role"] for line in lines
                if line.get("request_id") in roles}
    server.wait_for(lambda: len(answered()) == len(roles))
    assert answered() == roles


def test_players_have_a_pool_of_their_own(server):
    for path, role in [("/v1/balance", "play"), ("/balance", "play"), ("/v1/datasets", "query")]:
        name = f"pool{path.replace('/', '.')}"
        server.get(path, key=None, headers={"X-Request-Id": name})

        def entries():  # written after the answer is sent
            return [json.loads(line) for line in server.log().splitlines()
                    if line.startswith("{") and line.endswith("}") and name in line]
        server.wait_for(entries)
        assert entries()[0]["role"] == role


def test_the_access_log_is_json_and_reopened(own_server):
    server = own_server
    path = os.path.join(server.data, "logs/access.log")
    server.get("/api/ping", headers={"X-Request-Id": "logged"})

    def entries():
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8") as f:
            return [json.loads(line) for line in f]

    server.wait_for(lambda: "logged" in [e["request_id"] for e in entries()])
    entry = next(e for e in entries() if e["request_id"] == "logged")
    assert entry["status"] == 200 and entry["client"] == "admin" and entry["path"] == "/api/ping"
    os.rename(path, path + ".1")
    server.reload()
    server.wait_for(lambda: os.path.exists(path))


def access_log(server):
    try:
        with open(os.path.join(server.data, "logs/access.log"), encoding="utf-8") as f:
            return [json.loads(line) for line in f if line.endswith("\n")]
    except FileNotFoundError:
        return []


def call(head, *headers):
    lines = (head, "Host: x", "Connection: close", *headers)
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"


# (what is sent, and of its line in the access log: method, path, client, status)
REFUSED = [
    (call("PUT /v1/datasets/x/imports?token=secret HTTP/1.1", f"X-API-Key: {READ}"),
     ("PUT", "/v1/datasets/x/imports", "reader", 403)),
    (call("POST /api/upload_csv?token=secret HTTP/1.1"), ("POST", "/api/upload_csv", "", 401)),
    (call("DELETE /v1/jobs/%C3%A9?token=secret HTTP/1.1", "X-API-Key: wrong"),
     ("DELETE", "/v1/jobs/é", "", 401)),
    (call("HEAD /livez HTTP/1.1", "X-API-Key: wrong"), ("HEAD", "/livez", "", 401)),
    (call("TRACE /v1/jobs?token=secret HTTP/1.1", f"X-API-Key: {READ}"),
     ("TRACE", "/v1/jobs", "reader", 405)),
    (call("POST /api/ping HTTP/1.1", f"X-API-Key: {WRITE}", "Content-Length: 70000"),
     ("POST", "/api/ping", "writer", 413)),
    (call(f"GET /v1/long?token=secret{'a' * 9000} HTTP/1.1"), ("GET", "/v1/long", "", 414)),
    (call(f"POST /{'long' * 2300} HTTP/1.1"), ("POST", "/" + "long" * 127 + "lon", "", 414)),
    (call("GET /v1/jobs?token=secret HTTP/1.1", f"X-API-Key: {READ}", f"X-A: {'a' * 9000}"),
     ("GET", "/v1/jobs", "reader", 431)),
    (call("PATCH /v1/jobs?token=secret HTTP/1.1", "Transfer-Encoding: gzip"),
     ("PATCH", "/v1/jobs", "", 501)),
    (call("GET /v1/%zz?token=secret HTTP/1.1"), ("GET", "/v1/%zz", "", 400)),
    (call("get /v1/jobs?token=secret HTTP/1.1"), ("get", "/v1/jobs", "", 400)),
    (call("GET /v1/jobs?token=secret HTTP/9.9"), ("GET", "/v1/jobs", "", 400)),
    (call("GET /v1/\xff?token=secret HTTP/1.1", "X-API-Key: wrong"), ("GET", "(not text)", "", 401)),
    (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", ("", "(not text)", "", 400)),
]


def test_a_refused_call_is_logged_as_what_it_was(own_server):
    server = own_server
    load_keys(server)
    for data, logged in REFUSED:
        before = len(access_log(server))
        raw(server, data)
        server.wait_for(lambda n=before: len(access_log(server)) > n)
        entry = access_log(server)[before]
        assert (entry["method"], entry["path"], entry["client"], entry["status"]) == logged, data[:60]
        assert entry["address"] == "127.0.0.1" and "secret" not in json.dumps(entry)


def test_calls_beyond_a_limit_and_of_a_dead_pool_are_logged_as_what_they_were(server_with):
    server = server_with({"limits.imports": "1/min burst 1"})
    load_keys(server)
    for _ in range(3):
        answer = server.post("/v1/datasets/x/imports?label=secret", key=WRITE, data=b"a\n1\n",
                             headers={"Content-Type": "text/csv"})
    assert answer.status_code == 429
    os.rename(os.path.join(server.data, "run/play.sock"), os.path.join(server.data, "run/away"))
    assert server.get("/v1/balance?x=secret", key=WRITE).status_code == 502
    server.wait_for(lambda: access_log(server)[-1]["status"] == 502)
    *_, limited, dead = access_log(server)
    names = ("method", "path", "client", "status")
    assert [limited[n] for n in names] == ["POST", "/v1/datasets/x/imports", "writer", 429]
    assert [dead[n] for n in names] == ["GET", "/v1/balance", "writer", 502]
    os.rename(os.path.join(server.data, "run/away"), os.path.join(server.data, "run/play.sock"))


def nginx_lines(server):
    lines = [json.loads(line) for line in server.log().splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == "nginx"]


def test_what_nginx_says_is_lines_of_the_log_without_what_is_secret(server_with):
    server = server_with({"limits.reads": "1/s burst 1"})
    target = '/v1/jobs?token=secret",client:secret'
    for _ in range(4):
        raw(server, call(f"GET {target} HTTP/1.1", "Referer: http://x/?token=secret"))
    raw(server, call("GET /v1/jobs?token=secret" + "a" * 3000 + " HTTP/1.1"))
    raw(server, b"POST /api/ping?token=secret HTTP/1.1\r\nHost: secret\r\nConnection: close\r\n"
        b"Content-Length: 70000\r\n\r\n")
    server.wait_for(lambda: any("too large body" in line["message"] for line in nginx_lines(server)))
    limited = [line for line in nginx_lines(server) if "limiting requests" in line["message"]]
    assert len(limited) >= 3
    for line in limited:
        assert (line["level"], line["address"], line["method"], line["path"]) == \
            ("warn", "127.0.0.1", "GET", "/v1/jobs")
        assert line["nginx_pid"] in server.pids("nginx")
    assert not [line for line in nginx_lines(server) if "secret" in json.dumps(line)]
    assert not server.plain_lines()


def test_a_log_that_nobody_reads_holds_up_no_request(server_with):
    server = server_with({"limits.reads": "1/s burst 1"})
    ask = b"GET /api/ping HTTP/1.1\r\nHost: x\r\n\r\n"
    os.kill(server.pid, signal.SIGSTOP)
    try:
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as s:
            for _ in range(80):  # 1.6 MB of nginx's lines
                s.sendall(ask * 100)
                answers = b""
                while answers.count(b"HTTP/1.1 ") < 100 or not answers.endswith(b"}\n"):
                    answers += s.recv(65536)
                assert answers.count(b"HTTP/1.1 429 ") >= 98
    finally:
        os.kill(server.pid, signal.SIGCONT)
    server.wait_for(lambda: len(nginx_lines(server)) > 1000)
    server.reload()


def test_a_reload_of_nginx_closes_idle_connections_and_nothing_else(own_server):
    server = own_server
    with socket.create_connection(("127.0.0.1", server.port), timeout=15) as idle:
        idle.sendall(b"GET /api/ping HTTP/1.1\r\nHost: x\r\n\r\n")
        assert idle.recv(65536).startswith(b"HTTP/1.1 200 ")
        server.edit_config(lambda text: text, nginx_changes=True)
        server.reload()
        while idle.recv(65536):
            pass  # the end of it, not a reset
    assert server.get("/api/ping").status_code == 200


# The commands that make and check it

def run(*arguments):
    return subprocess.run([harness.binary(), *arguments], capture_output=True, text=True,
                          timeout=20, stdin=subprocess.DEVNULL)


def test_nginx_config_prints_and_writes_every_part(tmp_path):
    printed = run("nginx-config")
    assert printed.returncode == 0
    assert 'fastcgi_param HTTP_PROXY "";' in printed.stdout
    assert "rate=2r/m" in printed.stdout
    folder = tmp_path / "conf"
    assert run("nginx-config", "--output", str(folder)).returncode == 0
    source = os.path.join(harness.ROOT, "nginx")
    names = {n for n in os.listdir(source) if n.endswith((".conf", ".types"))}
    assert {p.name for p in folder.iterdir()} == names
    assert not [p.name for p in folder.iterdir() if "@" in p.read_text(encoding="utf-8")]


def test_keys_new_prints_an_entry_that_check_config_takes(tmp_path):
    made = run("keys", "new", "--name", "dashboard", "--scope", "write")
    assert made.returncode == 0
    path = tmp_path / "playmeter.yaml"
    path.write_text(made.stdout, encoding="utf-8")
    checked = run("check-config", str(path))
    assert checked.returncode == 0 and "keys: 1" in checked.stdout
    assert run("keys", "new", "--name", "a b").returncode == 1
    assert run("keys", "new").returncode == 2
    assert run("keys", "new", "--name", "a", "--scope", "god").returncode == 1


def test_check_config_names_file_and_line_and_warns(tmp_path):
    path = tmp_path / "playmeter.yaml"
    path.write_text("http:\n  prot: 1\n", encoding="utf-8")
    checked = run("check-config", str(path))
    assert checked.returncode == 1
    assert f"{path}:2: there is no setting 'http.prot'; did you mean 'port'?" in checked.stderr
    path.write_text("datasets:\n  g:\n    columns:\n      - {name: a, type: text, key: true}\n"
                    "      - {name: b, type: text, key: true}\n", encoding="utf-8")
    checked = run("check-config", str(path))
    assert checked.returncode == 1 and f"{path}, dataset g: line 5: " in checked.stderr
    path.write_text("fetch:\n  allow_loopback: true\n", encoding="utf-8")
    assert "warning: fetch.allow_loopback" in run("check-config", str(path)).stdout
    path.write_text("datasets:\n  costs_daily:\n    columns:\n      - {name: date, type: text}\n",
                    encoding="utf-8")
    warned = run("check-config", str(path))
    assert warned.returncode == 0
    assert "warning: reports will be missing: sessions: there is no such dataset" in warned.stdout
    assert "costs_daily: column campaign is missing" in warned.stdout
    assert "warning" not in run("check-config").stdout
