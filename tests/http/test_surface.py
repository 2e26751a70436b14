"""What the contract promises of every answer: ids, timing, links, formats, and the status and shape
of each refusal, whoever it comes from."""

import csv
import io
import json
import os
import re
import secrets
import time

import pytest

import harness
from test_api import ROWS, assert_problem, export
from test_bad_input import GAME, GAMES

MOMENT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")
# Milliseconds, to the microsecond; a number has no zeros at its end.
TIMING = re.compile(r"^(app;dur=\d+(\.\d{1,3})?|nginx)$")

# Every kind of answer: by the worker, by nginx, with and without a body.
EVERY = [
    ("GET", "/livez", {}, 200),
    ("GET", ROWS, {}, 200),
    ("HEAD", ROWS, {}, 200),
    ("GET", f"{ROWS}?format=csv&limit=5", {}, 200),
    ("GET", ROWS, {"If-None-Match": "*"}, 304),
    ("OPTIONS", ROWS, {}, 204),
    ("GET", f"{ROWS}?limit=0", {}, 400),
    ("GET", "/v1/jobs", {"X-API-Key": "unknown"}, 401),
    ("GET", "/nope", {}, 404),
    ("TRACE", "/livez", {}, 405),
    ("POST", "/livez", {}, 405),
    ("GET", ROWS, {"Accept": "text/html"}, 406),
    ("GET", "/livez?" + "a" * 9000, {}, 414),
    ("GET", "/livez", {"X-Long": "a" * 9000}, 431),
]


@pytest.mark.parametrize("method, path, headers, status", EVERY)
def test_every_answer_carries_an_id_and_its_timing_once(games, method, path, headers, status):
    answer = games.request(method, path, headers={**headers, "X-Request-Id": "A-z_0.9"})
    assert answer.status_code == status
    # Too long to be read to its end: the client's id may stand behind it.
    wanted = r"^[0-9a-f]{32}$" if status in (414, 431) else r"^A-z_0\.9$"
    for name, shape in (("X-Request-Id", wanted), ("Server-Timing", TIMING)):
        values = answer.raw.headers.getlist(name)
        assert len(values) == 1 and re.match(shape, values[0]), (name, values)
    if status >= 400:
        problem = answer.json()
        assert problem["request_id"] == answer.headers["X-Request-Id"]
        assert problem["status"] == status and problem["code"] and problem["title"]
        assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("given, is_taken", [
    ("a", True), ("a" * 64, True), ("-._", True), ("A9", True),
    ("a" * 65, False), ("", False), ("a b", False), ("a\tb", False), ("a;b", False),
    ("\u00fc".encode(), False), ("a/b", False), ('"', False),
])
def test_a_request_id_is_taken_when_it_is_harmless(games, given, is_taken):
    for path in ("/livez", "/nope"):
        answer = games.get(path, headers={"X-Request-Id": given})
        got = answer.headers["X-Request-Id"]
        assert (got == given) == is_taken
        assert is_taken or re.match(r"^[0-9a-f]{32}$", got)
        assert path == "/livez" or answer.json()["request_id"] == got
    made = {games.get("/livez").headers["X-Request-Id"] for _ in range(10)}
    assert len(made) == 10


def keys_and_strings(value):
    """Every key and every string of some JSON."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key, None
            yield from keys_and_strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from keys_and_strings(inner)
    elif isinstance(value, str):
        yield None, value


def test_names_are_snake_case_and_times_are_utc(games):
    moments = 0
    for path in ("/v1/datasets", "/v1/datasets/games", "/v1/datasets/games/versions", "/v1/jobs",
                 "/v1/datasets/games/stats?aggregate=mean,std_dev", f"{ROWS}?limit=3"):
        for key, text in keys_and_strings(games.get(path).json()):
            assert key is None or re.match(r"^[a-z0-9_]+$", key), (path, key)
            if text and re.match(r"^\d{4}-\d\d-\d\dT", text):
                assert MOMENT.match(text), text
                moments += 1
    assert moments >= 7


@pytest.mark.parametrize("path", ["/v1/datasets", "/v1/datasets/games/versions", "/v1/jobs", ROWS])
def test_lists_have_one_shape_and_a_link_where_more_follows(games, path):
    answer = games.get(path)
    body = answer.json()
    assert list(body) == ["data", "page", "meta"]
    assert set(body["page"]) == {"next_cursor", "next_url", "has_more"}
    if body["page"]["has_more"]:
        assert answer.headers["Link"] == f'<{body["page"]["next_url"]}>; rel="next"'
        assert "cursor=" + body["page"]["next_cursor"] in body["page"]["next_url"]
    else:
        assert (body["page"]["next_cursor"], body["page"]["next_url"]) == (None, None)
        assert "Link" not in answer.headers


def test_a_next_link_keeps_the_question_as_it_was(games):
    params = {"name__contains": "é", "name__notcontains": "& +", "limit": "1",
              "fields": "app_id,name", "sort": "-price"}
    seen, url = [], None
    while True:
        answer = games.get(url) if url else games.get(ROWS, params=params)
        body = answer.json()
        seen += body["data"]
        assert body["meta"]["total"] >= 1
        if not body["page"]["has_more"]:
            break
        link = re.match(r'^<([^<>"\s\x80-\xff]+)>; rel="next"$', answer.headers["Link"])
        url = link[1]
    assert len(seen) == body["meta"]["total"] and all("é" in r["name"].lower() for r in seen)


@pytest.mark.parametrize("accept, form", [
    ("application/json", "application/json"),
    ("text/csv", "text/csv; charset=utf-8; header=present"),
    ("application/x-ndjson", "application/x-ndjson; charset=utf-8"),
    ("TEXT/CSV", "text/csv; charset=utf-8; header=present"),
    ("text/*", "text/csv; charset=utf-8; header=present"),
    ("*/*", "application/json"),
    ("application/json;q=0.5, text/csv", "text/csv; charset=utf-8; header=present"),
    ("text/csv;q=0.5, */*;q=0.1", "text/csv; charset=utf-8; header=present"),
    ("application/json;q=0, */*", "text/csv; charset=utf-8; header=present"),
    ("application/x-ndjson, text/csv;q=0.9", "application/x-ndjson; charset=utf-8"),
    ("", "application/json"),
])
def test_the_form_is_what_is_accepted_best(games, accept, form):
    answer = export(games, f"{ROWS}?limit=2", headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == form
    assert "Accept" in ", ".join(answer.raw.headers.getlist("Vary"))
    for name, wanted in (("json", "application/json"), ("csv", "text/csv"),
                         ("ndjson", "application/x-ndjson")):
        answer = export(games, f"{ROWS}?limit=2&format={name}", headers={"Accept": accept})
        assert answer.headers["Content-Type"].startswith(wanted)


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "nonsense",
                                    "application/json;q=0", "*/*;q=0"])
def test_what_cannot_be_given_is_406_and_names_what_can(games, accept):
    answer = games.get(ROWS, headers={"Accept": accept})
    problem = assert_problem(answer, 406, "not_acceptable", "application/json")
    assert "text/csv" in problem["detail"] and accept in problem["detail"]
    assert games.get(f"{ROWS}?format=json", headers={"Accept": accept}).status_code == 200


def test_the_three_forms_hold_the_same_rows(games):
    path = f"{ROWS}?limit=200&sort=name&fields=app_id,name,price"
    plain = games.get(path).json()["data"]
    lines = export(games, f"{path}&format=ndjson").text.splitlines()
    assert [json.loads(line) for line in lines] == plain
    table = export(games, f"{path}&format=csv&raw=1")
    assert table.headers["X-Total-Count"] == str(games.get(path).json()["meta"]["total"])
    read = list(csv.DictReader(io.StringIO(table.text, newline="")))
    assert [(int(r["AppID"]), r["Name"], float(r["Price"])) for r in read] == \
        [(r["app_id"], r["name"], r["price"]) for r in plain]


@pytest.mark.parametrize("method, path, allowed", [
    ("POST", "/livez", "GET, HEAD, OPTIONS"),
    ("PUT", ROWS, "GET, HEAD, OPTIONS"),
    ("GET", "/v1/datasets/games/imports", "POST, PUT, OPTIONS"),
    ("GET", "/v1/datasets/games/rollback", "POST, OPTIONS"),
    ("PUT", "/v1/jobs/00000000000000000000", "GET, HEAD, DELETE, OPTIONS"),
    ("PROPFIND", "/api/query", "GET, HEAD, OPTIONS"),
])
def test_another_method_is_405_and_the_right_ones_are_said(games, method, path, allowed):
    answer = games.request(method, path)
    assert_problem(answer, 405, "method_not_allowed", method)
    assert answer.headers["Allow"] == allowed
    options = games.request("OPTIONS", path)
    assert (options.status_code, options.headers["Allow"]) == (204, allowed)


@pytest.mark.parametrize("method, path, allowed", [
    ("GET", "/v1/datasets/games/imports", "POST, PUT, OPTIONS"),
    ("DELETE", "/v1/datasets/games/imports?x=1", "POST, PUT, OPTIONS"),
    ("PUT", "/api/upload_csv", "POST, OPTIONS"),
    ("GET", "/api/import_csv", "POST, OPTIONS"),
])
def test_another_method_is_405_before_a_key_is_asked_for(games, method, path, allowed):
    for key in (None, "admin"):
        answer = games.request(method, path, key=key)
        assert_problem(answer, 405, "method_not_allowed", "POST")
        assert answer.headers["Allow"] == allowed
    assert games.request(method, path, key="unknown").status_code == 401


def test_a_call_that_takes_no_body_is_named_by_its_path(games):
    answer = games.player("leaver").post("/v1/logout", data=b"x")
    assert_problem(answer, 400, "malformed", "POST /v1/logout takes no body, got 1 bytes")


@pytest.mark.parametrize("wrong", ["0", "-1", "many"])
def test_a_bound_that_rows_of_json_do_not_have_is_not_told(games, wrong):
    assert_problem(games.get(f"{ROWS}?limit={wrong}"), 400, "bad_parameter", "at least 1")
    assert_problem(games.get(f"{ROWS}?limit=2000000000&format=csv"), 400, "bad_parameter", "1000000000")


@pytest.mark.parametrize("path", ["/livez", "/openapi.json", "/v1/datasets", "/v1/datasets/games",
                                  "/v1/datasets/games/stats", "/v1/datasets/games/versions",
                                  "/v1/jobs", "/api/query", "/api/stats", "/api/ping", "/nope",
                                  f"{ROWS}?limit=0", f"{ROWS}/abc"])
def test_head_has_the_headers_of_get(games, path):
    plain = {"Accept-Encoding": "identity"}
    get = games.get(path, headers=plain)
    head = games.request("HEAD", path, headers=plain)
    assert head.status_code == get.status_code and head.content == b""
    changing = ("Date", "Server-Timing", "X-Request-Id")
    wanted = {k: v for k, v in get.headers.items() if k not in changing}
    assert {k: v for k, v in head.headers.items() if k not in changing} == wanted


def test_tags_follow_the_version_and_refusals_are_never_known(own_server):
    server = own_server
    server.import_csv("tagged", b"id,n\n1,1\n", key="id")
    url = "/v1/datasets/tagged"
    paths = [url, f"{url}/rows", f"{url}/rows/1", f"{url}/stats", f"{url}/rows?format=csv"]
    old = {}
    for path in paths:
        old[path] = export(server, path, headers={"Accept-Encoding": "identity"}).headers["ETag"]
        again = export(server, path, headers={"If-None-Match": old[path]})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", old[path])
    server.import_csv("tagged", b"id,n\n1,2\n", key="id")
    for path in paths:
        answer = export(server, path, headers={"If-None-Match": old[path]})
        assert answer.status_code == 200 and answer.headers["ETag"] != old[path], path
    for path, status in ((f"{url}/rows/9", 404), (f"{url}/rows?limit=0", 400),
                         (f"{url}/stats?column=x", 400)):
        answer = server.get(path, headers={"If-None-Match": "*"})
        assert answer.status_code == status and "ETag" not in answer.headers
    # Back again: the tag of what was there is right again, but for the dataset's own dates.
    server.post(f"{url}/rollback")
    answer = server.get(f"{url}/rows", headers={"If-None-Match": old[f"{url}/rows"]})
    assert answer.status_code == 304


@pytest.mark.parametrize("origins, origin, allowed", [
    ('["*"]', "https://any.example", "*"),
    ('["https://a.example", "http://localhost:3000"]', "http://localhost:3000",
     "http://localhost:3000"),
    ('["https://a.example"]', "https://a.example.evil", None),
    ("[]", "https://a.example", None),
])
def test_pages_of_other_origins_are_let_in_as_the_settings_say(server_with, origins, origin,
                                                                allowed):
    server = server_with({"http.cors_origins": origins})
    for path, status in (("/livez", 200), ("/nope", 404), ("/v1/jobs", 401)):
        answer = server.get(path, key=None, headers={"Origin": origin})
        assert answer.status_code == status
        assert answer.headers.get("Access-Control-Allow-Origin") == allowed
        shown = answer.headers.get("Access-Control-Expose-Headers", "").split(", ")
        needed = {"X-Request-Id", "X-Total-Count", "Link", "Location", "ETag", "Retry-After"}
        assert needed <= set(shown) if allowed else shown == [""]


def test_a_busy_database_is_503_and_reads_go_on(own_server):
    server = own_server
    server.import_csv("held", b"id\n1\n")
    server.import_csv("held", b"id\n2\n")
    with server.stopped("writer"):
        answer = server.post("/v1/datasets/held/rollback")
        assert_problem(answer, 503, "unknown_outcome", "may have been stored")
        assert int(answer.headers["Retry-After"]) >= 1
        assert server.get("/v1/datasets/held/rows").json()["data"] == [{"id": 2}]
    server.wait_for(lambda: server.post("/v1/datasets/held/rollback?version=1").status_code == 200)


def test_workers_that_hang_are_504(server_with):
    server = server_with({"workers.deadline": "1s"})
    with server.stopped("query"):
        answer = server.get("/livez", key=None, timeout=30)
        assert_problem(answer, 504, "timeout", "unknown")
    server.wait_for(lambda: server.get("/livez", key=None).status_code == 200)


def test_readiness_is_that_of_the_importer_and_life_is_not(own_server):
    server = own_server
    with server.stopped("jobs"):
        # As if it had hung for a minute.
        with open(os.path.join(server.data, "run", "jobs.heartbeat"), "wb") as f:
            f.write(bytes(8))
        problem = assert_problem(server.get("/readyz", key=None), 503, "not_ready", "importer")
        assert [e["name"] for e in problem["errors"]] == ["importer"]
        assert server.get("/livez", key=None).status_code == 200
    server.wait_for(lambda: server.get("/readyz", key=None).status_code == 200)


# Who may call

SCOPES = {"read": "1" * 64, "write": "2" * 64, "admin": "3" * 64}


@pytest.fixture(scope="module")
def keyed():
    """A public dataset, a private one, a job, and a key of each scope."""
    server = harness.Server()
    entries = "".join(f'\n  - {{client: {s}_client, scope: {s}, key: "{k}"}}'
                      for s, k in SCOPES.items())
    server.edit_config(lambda text: text.replace("\nkeys: []\n", f"\nkeys:{entries}\n"))
    try:
        server.start()
        server.import_csv("games", GAMES + b"\n" + GAME + b"\n")
        server.job_id = server.import_csv("closed", b"id\n1\n")["id"]
        yield server
    finally:
        server.close()


def expected(row, is_public, caller):
    """0: whatever the route says to those that may call it."""
    ranks = ["none", *SCOPES]
    wants, player = row["x-scope"], row.get("x-player")
    if caller == "player":
        caller = None
        if player == "required":
            return 0
    if player == "required" and (caller is None or wants == "none"):
        return 401
    if wants == "none" or (wants == "read" and is_public):
        return 0
    if caller is None:
        return 401
    return 403 if ranks.index(caller) < ranks.index(wants) else 0


def credentials(server, caller):
    """A new player each time: some of the routes end a login."""
    if caller != "player":
        return {"key": SCOPES.get(caller)}
    answer = server.post("/v1/register", key=None, json={
        "username": f"player.{secrets.token_hex(8)}", "password": "correct horse"})
    return {"key": None, "headers": {"Authorization": f"Bearer {answer.json()['token']}"}}


@pytest.mark.asan
@pytest.mark.parametrize("caller", [None, *SCOPES, "player"])
def test_every_route_is_open_to_those_it_names(keyed, caller):
    paths = keyed.get("/openapi.json", key=None).json()["paths"]
    operations = [(path, method, row) for path, rows in paths.items()
                  for method, row in rows.items() if method in ("get", "post", "put", "delete")]
    assert len(operations) >= 18
    for path, method, row in operations:
        for dataset in ("games", "closed") if "{dataset}" in path else ("games",):
            url = path.format(dataset=dataset, key="1", id=keyed.job_id, name="roas_d1")
            wants = expected(row, row.get("x-public") and dataset == "games", caller)
            answer = keyed.request(method.upper(), url, **credentials(keyed, caller))
            said = (method, url, caller, answer.status_code, answer.text[:200])
            assert answer.status_code == wants if wants else \
                answer.status_code not in (401, 403, 405, 500), said
            if wants:
                code = {401: "unauthorized", 403: "forbidden"}[wants]
                assert_problem(answer, wants, code)
                assert wants == 403 or answer.headers["WWW-Authenticate"]


def test_a_private_dataset_is_not_listed_without_a_key(keyed):
    for scope, names in ((None, {"games"}), ("read", {"games", "closed"})):
        listed = keyed.get("/v1/datasets", key=SCOPES.get(scope)).json()
        assert {d["name"] for d in listed["data"]} == names
        assert listed["meta"]["total"] == len(names)


def dataset_routes(server):
    paths = server.get("/openapi.json", key=None).json()["paths"]
    return [(method.upper(), path) for path, rows in paths.items() if "{dataset}" in path
            for method in rows if method in ("get", "post", "put", "delete")]


@pytest.mark.parametrize("headers", [{}, {"If-None-Match": "*"}, {"Accept": "text/csv"},
                                     {"Accept": "text/html"}, {"Authorization": "Bearer x"}])
def test_without_a_key_a_private_dataset_is_as_one_that_is_not_there(keyed, headers):
    """Each by a name as long as the other's, and near it: nothing is suggested either."""
    def ask(method, url):
        """Again where nginx has not yet given back the place of the export before."""
        for _ in range(100):
            answer = keyed.request(method, url, key=None,
                                   headers={**headers, "X-Request-Id": "same"})
            if answer.status_code != 429:
                break
            time.sleep(0.05)
        return answer

    routes = dataset_routes(keyed)
    assert len(routes) >= 11
    others = [(method, path) for method in ("HEAD", "OPTIONS", "PATCH")
              for path in {path for _, path in routes}]
    for method, path in routes + others:
        for query in ("", "?limit=0", "?nonsense=1"):
            told = []
            for name in ("closed", "closet"):
                url = path.format(dataset=name, key="1") + query
                answer = ask(method, url)
                changing = ("Date", "Server-Timing", "Connection")
                head = {k: v for k, v in answer.headers.items() if k not in changing}
                told.append((answer.status_code, head, answer.text.replace(name, "NAME")))
            assert told[0] == told[1]
            assert told[0][0] == 401 or (method, path) in others, (method, path)
            assert "clos" not in told[0][2]
    assert keyed.get("/v1/datasets/closet/rows", key=SCOPES["read"]).status_code == 404


def test_what_the_settings_declare_public_is_no_secret_before_its_first_import(own_server):
    own_server.import_csv("gamez", b"id\n1\n")
    for path in (ROWS, "/v1/datasets/games", "/api/query"):
        answer = own_server.get(path, key=None)
        assert_problem(answer, 404, "nothing_published")
        assert "gamez" not in answer.text
    assert own_server.get("/v1/datasets/costs_daily", key=None).status_code == 401


@pytest.mark.parametrize("method, path, key, scope", [
    ("GET", "/v1/datasets/closed/rows", None, "read"), ("GET", "/v1/jobs", None, "read"),
    ("POST", "/v1/datasets/x/rollback", None, "write"), ("GET", "/v1/events", None, "admin"),
    ("POST", "/v1/datasets/x/rollback", "read", "write"), ("GET", "/v1/events", "write", "admin"),
    ("POST", "/v1/datasets/x/imports", None, "write"),  # these are nginx's
    ("POST", "/v1/datasets/x/imports", "read", "write"),
    ("GET", "/v1/jobs", "0", None), ("POST", "/v1/datasets/x/imports", "0", None),
    ("GET", "/v1/balance", None, None),
])
def test_a_refusal_names_the_scope_that_would_do(keyed, method, path, key, scope):
    answer = keyed.request(method, path, key=SCOPES.get(key, key))
    problem = assert_problem(answer, 403 if key in SCOPES else 401,
                             "forbidden" if key in SCOPES else "unauthorized")
    assert problem.get("required_scope") == scope


# The short form's ways in

@pytest.mark.parametrize("way", ["data", "params", "json"])
def test_the_short_form_imports_a_url_given_in_any_way(server, source, way):
    table = (GAMES + b"\n" + GAME.replace(b"Ricochet", b"Caf\xe9") + b"\n").replace(b",", b";")
    url = source.put("/semicolons.csv", table.replace(b"Nov 1; 2000", b"2000-11-01"))
    sent = server.post("/api/import_csv", **{way: {
        "file_url": url, "altname": way, "encoding": "iso-8859-1", "delimiter": ";"}})
    assert sent.status_code == 202, sent.text
    job = server.wait_job(sent.json()["job_id"])
    assert job["state"] == "succeeded", job
    assert (job["label"], job["result"]["encoding"]) == (way, "iso-8859-1")
    found = server.get("/api/query", key=None).json()
    assert found["status"] == "1 found" and found["results"][0]["name"] == "Café"
    assert sent.headers["Location"] == sent.json()["status_url"]
