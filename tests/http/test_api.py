"""The surface of the API: statuses, headers, problems, forms of an answer, and who may call."""

import csv
import gzip
import http.client
import io
import json
import os
import signal
import socket

import pytest

import harness

ROWS = "/v1/datasets/games/rows"
SMALL = b'id,name,price\n1,one,2.5\n2,"=cmd()",3\n3,short\n4,four,4\n'


def assert_problem(answer, status, code, part=""):
    body = harness.problem(answer, status, code)
    assert part in body["detail"], body
    return body


def export(server, path, **more):
    """Few exports run at once, and nginx gives a place back a moment after the client has its
    answer: a 429 is asked again."""
    answers = [server.get(path, **more)]

    def is_served():
        if answers[-1].status_code == 429:
            assert answers[-1].headers["Retry-After"]
            answers.append(server.get(path, **more))
        return answers[-1].status_code != 429

    server.wait_for(is_served)
    return answers[-1]


@pytest.mark.asan
def test_probes_say_what_they_see(games):
    assert games.get("/livez", key=None).json() == {"status": "alive"}
    assert games.get("/readyz", key=None).json() == {"status": "ready"}
    assert games.get("/api/ping", key=None).json() == {"response": "pong"}


def test_every_answer_carries_id_and_timing(games):
    for path in ("/livez", ROWS, "/nope", "/v1/jobs"):
        answer = games.get(path, key=None, headers={"X-Request-Id": "my-id_1.x"})
        assert answer.headers["X-Request-Id"] == "my-id_1.x"
        assert answer.headers["Server-Timing"].startswith("app;dur=")
    made = games.get("/livez", key=None, headers={"X-Request-Id": "not ok"})
    assert made.headers["X-Request-Id"] not in ("", "not ok")


@pytest.mark.asan
def test_description_lists_the_routes(games):
    answer = games.get("/openapi.json", key=None)
    paths = answer.json()["paths"]
    assert paths[("/v1/datasets/{dataset}/rows")]["get"]["operationId"] == "list_rows"
    again = games.get("/openapi.json", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("path, code, part", [
    (f"{ROWS}?limit=1001", "bad_parameter", "at most 1000"),
    (f"{ROWS}?limit=0", "bad_parameter", "got '0'"),
    (f"{ROWS}?limit=-1", "bad_parameter", "got '-1'"),
    (f"{ROWS}?limit=", "bad_parameter", "got ''"),
    (f"{ROWS}?limit=9999999999999999999", "bad_parameter", "9999999999999999999"),
    (f"{ROWS}?limit=5&limit=5", "duplicate_parameter", "once"),
    (f"{ROWS}?format=xml", "bad_parameter", "json csv ndjson"),
    (f"{ROWS}?cursor=abc", "bad_cursor", "abc"),
    (f"{ROWS}?prize__lt=5", "unknown_parameter", "did you mean 'price'"),
    (f"{ROWS}?price__less=5", "unknown_parameter", "less"),
    (f"{ROWS}?price__lt=cheap", "bad_parameter", "cheap"),
    (f"{ROWS}?sort=prce", "bad_parameter", "did you mean 'price'"),
    (f"{ROWS}?fields=nam", "bad_parameter", "did you mean 'name'"),
    (f"{ROWS}?name=%00", "malformed", "NUL"),
    (f"{ROWS}?name=%c0%af", "malformed", "UTF-8"),
    (f"{ROWS}/abc", "bad_parameter", "abc"),
    (f"{ROWS}/20?limit=5", "unknown_parameter", "limit"),
    ("/v1/datasets/games/stats?column=prce", "bad_parameter", "did you mean 'price'"),
    ("/v1/datasets/games/stats?columns=price", "unknown_parameter", "did you mean 'column'?"),
    (f"{ROWS}?columns=price", "unknown_parameter", "did you mean 'fields'?"),
    (f"{ROWS}?page=2", "unknown_parameter", "did you mean 'cursor'?"),
    ("/v1/datasets/games/stats?aggregate=meen", "bad_parameter", "mean"),
    ("/v1/datasets/games/stats?column=name&aggregate=mean", "bad_parameter", "name"),
    ("/v1/datasets/games/stats?ddof=2", "bad_parameter", "from 0 to 1"),
    ("/v1/jobs?state=lost", "bad_parameter", "lost"),
    ("/v1/jobs?cursor=abc", "bad_parameter", "cursor"),
])
def test_bad_parameters_are_named(games, path, code, part):
    assert_problem(games.get(path), 400, code, part)


def test_one_character_is_not_delimiter_and_quote_at_once(server):
    answer = server.post("/v1/datasets/marks/imports", data=b"a;b\n1;2\n",
                         params={"delimiter": ";", "quote": ";"},
                         headers={"Content-Type": "text/csv"})
    body = assert_problem(answer, 400, "bad_parameter", "delimiter and quote are two different")
    assert body["errors"][0]["name"] == "quote"


def test_unknown_things_are_404(games):
    for path in ("/nope", "/v1/datasets/games/", "/v1//datasets", f"{ROWS}/1", "/v1/jobs/zzz",
                 "/v1/datasets/nope/rows", "/v1/datasets/nope", "/v1/datasets/nope/stats",
                 "/v1/datasets/nope/versions"):
        assert_problem(games.get(path), 404, "not_found")


def test_other_methods_are_405_with_allow(games):
    answer = games.delete("/v1/datasets/games")
    assert_problem(answer, 405, "method_not_allowed", "DELETE")
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"
    options = games.request("OPTIONS", "/v1/datasets/games/rollback", key=None)
    assert options.status_code == 204
    assert options.headers["Allow"] == "POST, OPTIONS"


def test_head_is_get_without_the_body(games):
    get = games.get(ROWS, headers={"Accept-Encoding": "identity"})
    head = games.request("HEAD", ROWS, headers={"Accept-Encoding": "identity"})
    assert head.status_code == 200
    assert head.content == b""
    for header in ("Content-Type", "Content-Length", "ETag", "Link"):
        assert head.headers[header] == get.headers[header]
    assert games.request("HEAD", f"{ROWS}?format=csv").content == b""


@pytest.mark.asan
def test_known_answers_are_304(games):
    for path in (ROWS, f"{ROWS}?format=csv", f"{ROWS}?q=the", "/v1/datasets/games",
                 "/v1/datasets/games/stats", "/api/query", "/api/stats"):
        first = export(games, path)
        tag = first.headers["ETag"].removeprefix("W/")  # nginx weakens it with gzip
        for known in (tag, "W/" + tag, f'"other", {tag}', "*"):
            again = export(games, path, headers={"If-None-Match": known})
            assert again.status_code == 304, (path, known)
            assert again.content == b""
        assert export(games, path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_forms_have_tags_of_their_own(games):
    tags = {export(games, f"{ROWS}?format={form}").headers["ETag"]
            for form in ("json", "csv", "ndjson")}
    assert len(tags) == 3


def test_parameter_wins_over_accept(games):
    def form(path, accept):
        return export(games, path, headers={"Accept": accept}).headers["Content-Type"].split(";")[0]

    assert form(ROWS, "text/csv") == "text/csv"
    assert form(ROWS, "text/html, */*;q=0.1") == "application/json"
    assert form(f"{ROWS}?format=ndjson", "text/csv") == "application/x-ndjson"
    assert_problem(games.get(ROWS, headers={"Accept": "text/html"}), 406, "not_acceptable")


@pytest.mark.asan
def test_pages_link_to_the_next(games):
    page = games.get(f"{ROWS}?limit=2&sort=-price&fields=app_id").json()
    assert page["page"]["has_more"] is True
    seen = page["data"]
    following = games.get(page["page"]["next_url"])
    assert f"<{page['page']['next_url']}>" in games.get(
        f"{ROWS}?limit=2&sort=-price&fields=app_id").headers["Link"]
    assert following.status_code == 200
    assert following.json()["data"] != seen
    other = games.get(f"{ROWS}?limit=2&sort=price&cursor={page['page']['next_cursor']}")
    assert_problem(other, 400, "cursor_mismatch")


def test_anonymous_callers_read_what_is_public(server):
    server.import_csv("closed", SMALL)
    assert_problem(server.get("/v1/datasets/closed/rows", key=None), 401, "unauthorized")
    assert_problem(server.get("/v1/jobs", key=None), 401, "unauthorized")
    answer = server.get("/v1/jobs", key=None)
    assert answer.headers["WWW-Authenticate"]
    names = [d["name"] for d in server.get("/v1/datasets", key=None).json()["data"]]
    assert "closed" not in names
    assert "closed" in [d["name"] for d in server.get("/v1/datasets").json()["data"]]
    refused = server.post("/v1/datasets/closed/rollback", key=None)
    assert_problem(refused, 401, "unauthorized")


def test_a_closed_service_answers_probes_alone(server_with, games_csv):
    closed = server_with({"access.public": "false"})
    for path in ("/v1/datasets", "/v1/datasets/games", ROWS, "/api/query", "/api/stats"):
        assert closed.get(path, key=None).status_code == 401, path
    assert closed.get("/livez", key=None).status_code == 200


def raw(server, target, headers=()):
    """A request line and headers as given: clients mend both."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.putrequest("GET", target)
    for name, value in headers:
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    body = json.loads(answer.read())
    connection.close()
    return answer.status, body


def test_two_keys_are_refused(games):
    keys = [("X-API-Key", games.admin_key)] * 2
    status, body = raw(games, "/v1/jobs", keys)
    assert status in (400, 401) and body["code"] in ("duplicate_header", "unauthorized")


@pytest.mark.parametrize("target", [f"{ROWS}?name=%zz", f"{ROWS}?name=%", f"{ROWS}?%f=1",
                                    f"{ROWS}/%ff", f"{ROWS}/../rows"])
def test_bad_escapes_are_refused(games, target):
    status, body = raw(games, target)
    assert status == 400 and body["code"] == "malformed"


def upload(server, dataset="small", **more):
    return server.post(f"/v1/datasets/{dataset}/imports", **more)


@pytest.mark.asan
@pytest.mark.parametrize("more", [
    {"files": {"file": ("s.csv", SMALL)}, "data": {"label": "way"}},
    {"data": SMALL, "headers": {"Content-Type": "text/csv"}, "params": {"label": "way"}},
    {"data": SMALL, "params": {"label": "way"}},
    {"data": gzip.compress(SMALL), "params": {"label": "way"},
     "headers": {"Content-Type": "text/csv", "Content-Encoding": "gzip"}},
])
def test_every_way_in_gives_the_same_rows(server, more):
    accepted = upload(server, **more)
    assert accepted.status_code == 202, accepted.text
    assert accepted.headers["Retry-After"] == "1"
    job = server.wait_job(accepted.headers["Location"].rsplit("/", 1)[1])
    assert job["state"] == "succeeded", job
    assert job["label"] == "way"
    rows = server.get("/v1/datasets/small/rows").json()
    assert [r["name"] for r in rows["data"]] == ["one", "=cmd()", "four"]
    assert rows["meta"]["version"] == job["result"]["version"]


def test_put_is_what_curl_sends(server):
    answer = server.request("PUT", "/v1/datasets/small/imports", data=SMALL)
    assert answer.status_code == 202, answer.text
    assert server.wait_job(answer.json())["state"] == "succeeded"


@pytest.mark.parametrize("more, status, code, part", [
    ({"data": "id=1", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
     415, "unsupported_media_type", "curl -T FILE"),
    ({"data": b"{}", "headers": {"Content-Type": "application/xml"}},
     415, "unsupported_media_type", "application/xml"),
    ({"data": SMALL, "headers": {"Content-Type": "text/csv", "Content-Encoding": "br"}},
     415, "unsupported_media_type", "br"),
    ({}, 422, "empty_file", "empty"),
    ({"files": {"file": ("s.csv", b"")}}, 422, "empty_file", "empty"),
    ({"files": {"other": (None, "x")}}, 400, "unknown_option", "other"),
    ({"files": {"label": (None, "x")}}, 422, "missing_field", "curl -F file=@FILE"),
    ({"files": [("file", ("a", SMALL)), ("file", ("b", SMALL))]}, 422, "duplicate_field", "one file"),
    ({"files": [("file", ("a", SMALL)), ("label", (None, "x")), ("label", (None, "y"))]},
     400, "duplicate_parameter", "label"),
    ({"data": SMALL, "params": {"mode": "merge"}}, 400, "bad_parameter", "merge"),
    ({"data": SMALL, "params": {"lable": "x"}}, 400, "unknown_parameter", "did you mean 'label'"),
    ({"json": {"url": "ftp://host/x.csv"}}, 422, "bad_url", "ftp"),
    ({"json": {"label": "x"}}, 422, "missing_field", "URL"),
    ({"json": ["http://host/x.csv"]}, 422, "invalid", "object"),
    ({"data": '{"url":"http://a","url":"http://b"}',
      "headers": {"Content-Type": "application/json"}}, 400, "malformed", "same key"),
    ({"data": "{", "headers": {"Content-Type": "application/json"}}, 400, "malformed", "byte"),
])
def test_bad_uploads_are_refused_with_a_reason(server, more, status, code, part):
    assert_problem(upload(server, "refused", **more), status, code, part)
    assert_problem(server.get("/v1/datasets/refused"), 404, "not_found")


def test_bad_dataset_names_are_refused(server):
    for name in ("Small", "1st", "a" * 64, "a-b"):
        assert_problem(upload(server, name, data=SMALL), 422, "bad_dataset_name", name)


@pytest.mark.asan
def test_rejects_come_as_json_and_csv(server):
    job = server.import_csv("rejecting", SMALL)
    answer = server.get(f"/v1/jobs/{job['id']}/rejects").json()
    assert [r["line"] for r in answer["data"]] == [4]
    assert answer["meta"]["total"] == 1 == job["rows_rejected"]
    assert job["rows_done"] == 3
    assert answer["data"][0]["raw"] == "3,short"
    assert answer["data"][0]["offset"] == SMALL.index(b"3,short")
    table = server.get(f"/v1/jobs/{job['id']}/rejects?format=csv").text
    rows = list(csv.DictReader(io.StringIO(table, newline="")))
    assert rows[0]["raw"] == "3,short" and rows[0]["line"] == "4"
    assert_problem(server.get(f"/v1/jobs/{job['id']}/rejects?cursor=3"), 400, "bad_parameter")
    assert_problem(server.get(f"/v1/jobs/{job['id']}/rejects", key=None), 401, "unauthorized")


def test_rejects_are_paged_without_loss(server):
    lines = ["id,name"] + [f"{i}" for i in range(250)] + ["1,one"]
    job = server.import_csv("paged", "\n".join(lines).encode(), header="true", delimiter=",")
    seen, url = [], f"/v1/jobs/{job['id']}/rejects?limit=100"
    while url:
        page = server.get(url).json()
        seen += [r["line"] for r in page["data"]]
        url = page["page"]["next_url"]
    assert seen == list(range(2, 252))


def test_csv_cells_that_run_are_escaped(server):
    server.import_csv("formulas", SMALL)
    url = "/v1/datasets/formulas/rows?format=csv"
    assert "'=cmd()" in export(server, url).text
    untouched = export(server, url + "&raw=1").text
    assert "=cmd()" in untouched and "'=cmd()" not in untouched


def test_rollback_goes_back_and_forth(server):
    for row in ("1,a", "1,b"):
        server.import_csv("turning", f"id,name\n{row}\n".encode(), header="true")
    url = "/v1/datasets/turning"
    assert server.get(f"{url}/rows").json()["data"][0]["name"] == "b"
    assert server.post(f"{url}/rollback").json() == {"dataset": "turning", "version": 1}
    assert server.get(f"{url}/rows").json()["data"][0]["name"] == "a"
    assert server.get(url).json()["version"] == 1
    assert server.post(f"{url}/rollback", json={"version": 2.0}).json()["version"] == 2
    assert server.get(f"{url}/rows").json()["data"][0]["name"] == "b"
    assert_problem(server.post(f"{url}/rollback?version=9"), 404, "not_found", "9")
    assert_problem(server.post(f"{url}/rollback", json={"versoin": 1}), 422, "invalid")
    assert_problem(server.post(f"{url}/rollback?version=2", json={"version": 1}), 400,
                   "bad_parameter", "version 2 and the body 1")
    assert server.get(url).json()["version"] == 2
    for both in (1, 2):
        said = server.post(f"{url}/rollback?version={both}", json={"version": both})
        assert said.json()["version"] == both
    listed = server.get(f"{url}/versions").json()["data"]
    assert [(v["version"], v["current"]) for v in listed] == [(2, True), (1, False)]


def test_jobs_are_listed_page_by_page(server):
    for _ in range(3):
        server.import_csv("queue", SMALL)
    first = server.get("/v1/jobs?dataset=queue&limit=2&state=succeeded").json()
    assert len(first["data"]) == 2 and first["page"]["has_more"]
    second = server.get(first["page"]["next_url"]).json()
    ids = [j["id"] for j in first["data"] + second["data"]]
    assert len(set(ids)) == 3 and ids == sorted(ids, reverse=True)
    assert_problem(server.delete(f"/v1/jobs/{ids[0]}"), 409, "job_finished", "succeeded")


@pytest.mark.asan
def test_short_form_keeps_its_shapes(games):
    found = games.get("/api/query?limit=2&min_price=1&genres=action", key=None).json()
    total = games.get("/v1/datasets/games/rows?limit=1&min_price=1&genres=action").json()["meta"]["total"]
    assert total > 2 and found["status"] == f"{total} found" and found["cursor"] == 2
    assert isinstance(found["results"][0]["id"], int)
    assert isinstance(found["results"][0]["genres"], str)
    more = games.get("/api/query?limit=2&min_price=1&genres=action&cursor=2", key=None).json()
    assert more["results"][0]["id"] > found["results"][1]["id"]
    none = games.get("/api/query?name=there%20is%20no%20such%20game", key=None).json()
    assert none == {"status": "0 found", "results": [], "cursor": None}
    stats = games.get("/api/stats?aggregate=mean,percentiles&column=price", key=None).json()
    assert set(stats["result"]["price"]["percentiles"]) == {"25th", "50th", "75th"}
    same = games.get("/v1/datasets/games/stats?aggregate=mean,percentiles&column=price").json()
    assert stats["result"] == same["data"]


def test_short_form_imports(own_server, games_csv, source):
    with open(games_csv, "rb") as f:
        sent = own_server.post("/api/upload_csv", files={"file": ("games.csv", f)},
                               data={"altname": "seed", "encoding": "utf-8", "delimiter": ","})
    assert sent.status_code == 202, sent.text
    assert set(sent.json()) == {"message", "job_id", "status_url"}
    job = own_server.wait_job(sent.json()["job_id"])
    assert job["state"] == "succeeded" and job["label"] == "seed"
    assert own_server.get(sent.json()["status_url"]).json()["id"] == job["id"]
    for more in ({"data": {"file_url": "ftp://host/x"}}, {"params": {"file_url": "ftp://host/x"}},
                 {"json": {"file_url": "ftp://host/x"}}):
        assert_problem(own_server.post("/api/import_csv", **more), 422, "bad_url", "ftp")
    assert_problem(own_server.post("/api/import_csv"), 422, "missing_field")


def test_what_a_client_typed_wrong_is_not_logged(own_server):
    secret, ids = "hunter2.s3cret", []

    def send(method, path, status, **more):
        ids.append(f"typed-{len(ids)}")
        headers = {"X-Request-Id": ids[-1], **more.pop("headers", {})}
        answer = own_server.request(method, path, headers=headers, **more)
        assert answer.status_code == status and answer.json()["code"], answer.text

    player = own_server.player("typist")
    bearer = {"Authorization": f"Bearer {player.token}"}
    send("GET", f"/v1/track?redirect=https://me:{secret}@files.example/a%3Fkey={secret}", 400, key=None)
    send("GET", f"/v1/datasets?{secret}=1", 400)
    send("GET", f"/v1/jobs?limit={secret}", 400)
    send("GET", f"/v1/jobs?cursor={secret}", 400)
    send("POST", "/v1/register", 422, key=None, json={"username": secret + " x", "password": "correct horse"})
    send("POST", "/v1/register", 422, key=None, json={"username": "anyone", "password": "correct horse", secret: 1})
    send("POST", "/v1/datasets/games/imports", 422, json={"url": f"https://me:{secret}#x@files.example/a"})
    send("POST", "/v1/earn", 400, key=None, headers={**bearer, "Idempotency-Key": secret + "\xe9"},
         json={"amount": 1, "reason": "quest"})
    own_server.wait_for(lambda: f'"{ids[-1]}"' in own_server.log())
    assert secret not in own_server.log()
    lines = {line["request_id"]: line for line in
             (json.loads(text) for text in own_server.log().splitlines() if '"typed-' in text)}
    assert sorted(lines) == sorted(ids) and all(line["code"] for line in lines.values())
    assert lines[ids[2]]["parameter"] == "limit" and "parameter" not in lines[ids[1]]


def test_one_log_line_per_request_without_secrets(own_server):
    own_server.get("/v1/datasets?token=secret-in-query", headers={"X-Request-Id": "find-me"})
    # It is written behind the answer.
    own_server.wait_for(lambda: '"find-me"' in own_server.log())
    lines = [line for line in own_server.log().splitlines() if '"find-me"' in line]
    assert len(lines) == 1
    line = json.loads(lines[0])
    assert line["event"] == "request" and line["path"] == "/v1/datasets"
    assert line["method"] == "GET" and line["status"] == 400 and line["client"] == "admin"
    assert "secret-in-query" not in line["path"]
    assert own_server.admin_key not in own_server.log()


def test_a_worker_that_dies_cuts_the_answer(server_with):
    """An export that ends early must not look whole."""
    server = server_with({"limits.export_spool": "1MiB"})
    lines = "\n".join(f"{i},{'x' * 200}" for i in range(100000))
    server.import_csv("long", f"id,text\n{lines}\n".encode(), header="true")
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    # More than nginx and the kernel keep for a client that does not read: the worker waits.
    connection.sock = socket.socket()
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.sock.connect(("127.0.0.1", server.port))
    connection.request("GET", "/v1/datasets/long/rows?format=ndjson",
                       headers={"X-API-Key": server.admin_key})
    answer = connection.getresponse()
    assert answer.status == 200
    for pid in server.pids("query"):
        os.kill(pid, signal.SIGKILL)
    with pytest.raises(http.client.IncompleteRead):
        answer.read()
    connection.close()
    server.wait_for(lambda: server.get("/v1/datasets/long").status_code == 200)
