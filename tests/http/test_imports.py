"""Imports that go well: the modes, every option, versions and their number, what a job tells while
it runs and what its receipt holds at the end, and cancelling."""

import datetime
import gzip
import hashlib
import json
import os
import signal

import pytest

from test_api import assert_problem

CSV = b"id,name,price\n1,one,2.5\n2,NA,x\n3,three,\n"


def rows(server, dataset):
    return [tuple(r.values()) for r in server.get(f"/v1/datasets/{dataset}/rows").json()["data"]]


def types(server, dataset):
    columns = server.get(f"/v1/datasets/{dataset}").json()["columns"]
    return {c["name"]: c["type"] for c in columns}


def when(moment):
    return datetime.datetime.fromisoformat(moment.replace("Z", "+00:00"))


# Modes

@pytest.mark.asan
def test_append_adds_and_upsert_replaces_in_place(server):
    server.import_csv("modes", b"id,name\n1,a\n2,b\n3,c\n", key="id")
    job = server.import_csv("modes", b"name,extra,id\nB,x,2\nD,y,4\n", mode="upsert")
    assert rows(server, "modes") == [(1, "a"), (2, "B"), (3, "c"), (4, "D")]
    assert job["result"]["ignored_columns"] == ["extra"]
    assert (job["result"]["accepted"], job["result"]["rows"]) == (2, 4)
    job = server.import_csv("modes", b"id,name\n1,z\n5,E\n5,F\n", mode="append")
    assert rows(server, "modes") == [(1, "a"), (2, "B"), (3, "c"), (4, "D"), (5, "F")]
    receipt = job["result"]
    assert (receipt["rows_in"], receipt["accepted"], receipt["duplicates"]) == (3, 1, 2)
    details = [r["detail"] for r in
               server.get(f"/v1/jobs/{job['id']}/rejects").json()["data"]]
    assert "mode=upsert replaces it" in details[0] and "a later row" in details[1]
    server.import_csv("modes", b"id,name\n9,new\n", key="id")
    assert rows(server, "modes") == [(9, "new")]


def test_append_without_a_key_keeps_every_row(server):
    for _ in range(2):
        server.import_csv("log", b"id,name\n1,a\n1,a\n", mode="append")
    assert rows(server, "log") == [(1, "a")] * 4
    assert server.get("/v1/datasets/log/rows/3").json() == {"id": 1, "name": "a"}


@pytest.mark.parametrize("mode", ["append", "upsert"])
def test_rows_are_added_by_the_types_there_are(server, mode):
    dataset = f"typed_{mode}"
    server.import_csv(dataset, b"id,price\n1,2\n", key="id")
    job = server.import_csv(dataset, b"id,price\n2,cheap\n3,4\n", mode=mode)
    assert rows(server, dataset) == [(1, 2), (3, 4)]
    assert job["rows_rejected"] == 1
    for wrong in ({"types": "price:text"}, {"key": "price"}):
        failed = server.import_csv(dataset, b"id,price\n4,5\n", expect="failed", mode=mode, **wrong)
        assert failed["error"]["code"] == "fixed_schema", failed["error"]


# Versions

def versions(server, dataset):
    listed = server.get(f"/v1/datasets/{dataset}/versions").json()
    assert listed["meta"]["total"] == len(listed["data"])
    return [(v["version"], v["current"], v["rows"]) for v in listed["data"]]


def test_the_last_two_versions_are_kept_beside_the_current_one(server):
    url = "/v1/datasets/turned"
    for number in range(1, 5):
        job = server.import_csv("turned", b"id\n" + b"1\n" * number, label=f"n{number}")
        assert job["result"]["version"] == number
    assert versions(server, "turned") == [(4, True, 4), (3, False, 3), (2, False, 2)]
    assert_problem(server.post(f"{url}/rollback?version=1"), 410, "gone", "1")
    assert_problem(server.post(f"{url}/rollback?version=5"), 404, "not_found", "5")
    before = server.get(f"{url}/rows")
    assert server.post(f"{url}/rollback", json={"version": 2}).json()["version"] == 2
    after = server.get(f"{url}/rows", headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200 and after.json()["meta"] == {"total": 2, "version": 2}
    # The next one is made from what is current, under a number that was never given.
    server.import_csv("turned", b"id\n7\n", mode="append")
    assert rows(server, "turned") == [(1,), (1,), (7,)]
    assert versions(server, "turned")[0] == (5, True, 3)


def test_the_number_of_kept_versions_is_a_setting(server_with):
    server = server_with({"imports.versions_kept": "1"})
    server.import_csv("few", b"id\n1\n")
    assert_problem(server.post("/v1/datasets/few/rollback"), 409, "no_previous_version")
    for _ in range(2):
        server.import_csv("few", b"id\n1\n")
    assert versions(server, "few") == [(3, True, 1), (2, False, 1)]


# Ways in, and what a file can be

@pytest.mark.parametrize("more", [
    {"data": gzip.compress(CSV), "headers": {"Content-Encoding": "gzip"}},
    {"data": gzip.compress(CSV), "headers": {"Content-Type": "application/octet-stream"}},
    {"data": gzip.compress(CSV[:20]) + gzip.compress(CSV[20:]) + bytes(512)},
    {"files": {"file": ("a.csv.gz", gzip.compress(CSV))}},
    {"files": [("label", (None, "x")), ("file", ("a.csv", CSV)), ("mode", (None, "replace"))]},
    {"data": iter([CSV[:9], CSV[9:]])},
])
def test_the_file_comes_plain_or_compressed(server, more):
    answer = server.post("/v1/datasets/came/imports", **more)
    assert answer.status_code == 202, answer.text
    job = server.wait_job(answer.json())
    assert job["state"] == "succeeded", job
    assert rows(server, "came") == [(1, "one", "2.5"), (2, "NA", "x"), (3, "three", "")]
    assert job["result"]["gzip"] == (job["bytes_total"] != len(CSV))


@pytest.mark.parametrize("encoding, data, found, text", [
    ("auto", "é€".encode(), "utf-8", "é€"),
    ("auto", "é€".encode("windows-1252"), "windows-1252", "é€"),
    ("latin1", b"\xe9", "iso-8859-1", "é"),
    ("ISO-8859-1", b"\xe9\x80", "iso-8859-1", "é\x80"),
    ("cp1252", b"\xe9\x80\x81", "windows-1252", "é€\x81"),
    ("ascii", b"e", "ascii", "e"),
    ("utf-8", "𝄞".encode(), "utf-8", "𝄞"),
    ("utf-16", "é𝄞", "utf-16", "é𝄞"),
])
def test_encodings_are_read(server, encoding, data, found, text):
    file = f"id,text\n1,{data}\n".encode("utf-16-le") if isinstance(data, str) else \
        b"id,text\n1," + data + b"\n"
    job = server.import_csv("encoded", file, encoding=encoding)
    assert job["result"]["encoding"] == found
    assert rows(server, "encoded") == [(1, text)]


@pytest.mark.parametrize("data, options, dialect, read", [
    (b"a;b\n1;2,5\n3;4,5\n", {"decimal": ","}, (";", '"', True, ","), [(1, 2.5), (3, 4.5)]),
    (b"a\tb\n1\tx,y\n2\tz\n", {}, ("\t", '"', True, "."), [(1, "x,y"), (2, "z")]),
    (b"a|b\n1|x\n", {"delimiter": "|"}, ("|", '"', True, "."), [(1, "x")]),
    (b"a\tb\n1\tx\n", {"delimiter": "tab"}, ("\t", '"', True, "."), [(1, "x")]),
    (b"a,b\n1,'x,''y'\n", {"quote": "'"}, (",", "'", True, "."), [(1, "x,'y")]),
    (b'a,b\n1,"x"\n', {"quote": "none"}, (",", "", True, "."), [(1, '"x"')]),
    (b"1,x\n2,y\n", {"header": "false"}, (",", '"', False, "."), [(1, "x"), (2, "y")]),
    (b"1,2\n3,4\n", {"header": "true"}, (",", '"', True, "."), [(3, 4)]),
    (b"1,2\n3,4\n", {}, (",", '"', False, "."), [(1, 2), (3, 4)]),
])
def test_dialects_are_found_or_given(server, data, options, dialect, read):
    found = server.import_csv("spoken", data, **options)["result"]["dialect"]
    assert tuple(found[k] for k in ("delimiter", "quote", "header", "decimal")) == dialect
    assert rows(server, "spoken") == read


@pytest.mark.parametrize("cells, kind", [
    (["1", "-2", "NA", ""], "integer"),
    (["1", "98.0"], "real"),
    (["9007199254740992", "1"], "integer"),
    (["9007199254740993", "1"], "text"),
    (["007", "1"], "text"),
    (["1", "2.5", "NA"], "real"),
    (["1e3", "2"], "real"),
    (["1", "nan", "inf"], "text"),
    (["true", "False", "FALSE", ""], "boolean"),
    (["true", "no"], "text"),
    (["0", "1"], "integer"),
    (["true", "1"], "text"),
    (["2020-02-29", "Jan 31, 2021", ""], "date"),
    (["2020-02-29", "2021-02-29"], "text"),
    (["2020-02-29T10:00:00Z", "2020-02-29 10:00:00"], "datetime"),
    (["2020-02-29T10:00:00Z", "2020-02-29"], "datetime"),
    (["1", "one"], "text"),
])
def test_types_are_those_of_the_whole_file(server, cells, kind):
    # The one value that decides comes last, behind more rows than any sample has.
    column = cells[:1] * 5000 + cells
    data = "id,value\n" + "".join(f'{i},"{c}"\n' for i, c in enumerate(column))
    server.import_csv("guessed", data.encode())
    assert types(server, "guessed") == {"id": "integer", "value": kind}


def test_types_key_and_nulls_can_be_given(server, source):
    for given in ("price:text,Full Name:list", '{"price":"text","full_name":"list"}'):
        server.import_csv("given", b"id,Full Name,price\n1,\"a, b\",2\n", types=given, key="ID")
        assert types(server, "given") == {"id": "integer", "full_name": "list", "price": "text"}
        assert server.get("/v1/datasets/given").json()["key"] == "id"
        assert server.get("/v1/datasets/given/rows/1").json() == \
            {"id": 1, "full_name": ["a", "b"], "price": "2"}
    for nulls in ("-,none", '["-","none"]'):
        server.import_csv("given", b"a,b\n1,NA\n-,-\nnone,x\n", nulls=nulls)
        assert rows(server, "given") == [(1, "NA"), (None, "-"), (None, "x")]
    answer = server.post("/v1/datasets/given/imports", json={
        "url": source.put("/typed.csv", CSV), "types": {"price": "text"}, "key": "id",
        "header": True, "max_errors": 3, "nulls": ["one"], "label": "all", "mode": "replace"})
    job = server.wait_job(answer.json())
    assert job["state"] == "succeeded" and job["label"] == "all", job
    assert job["source"] == source.url("/typed.csv")
    assert rows(server, "given") == [(1, "one", "2.5"), (2, "NA", "x"), (3, "three", "")]
    body = ('{"url": "%s", "max_errors": %s}' % (source.url("/typed.csv"), "%s")).__mod__
    for number in ("3.0", "30e-1"):
        answer = server.post("/v1/datasets/given/imports", data=body(number),
                             headers={"Content-Type": "application/json"})
        assert server.wait_job(answer.json())["state"] == "succeeded"
    refused = server.post("/v1/datasets/given/imports", data=body("2.5"),
                          headers={"Content-Type": "application/json"})
    assert refused.status_code == 400 and "'2.5'" in refused.json()["detail"]


# What a job tells

@pytest.mark.asan
def test_the_receipt_is_complete(server):
    data = b'id,name\n1,"a"\n2\n1,b\n3,c\n'
    sent = server.post("/v1/datasets/receipted/imports", data={"key": "id", "label": "spring"},
                       files={"file": ("my games.csv", data)})
    queued = sent.json()
    assert sent.headers["Location"] == f"/v1/jobs/{queued['id']}"
    assert set(queued) == {
        "id", "kind", "dataset", "state", "phase", "label", "source", "bytes_total", "bytes_done",
        "rows_done", "rows_rejected", "rate_bytes_per_s", "eta_s", "heartbeat_at", "created_at",
        "started_at", "finished_at", "error", "result"}
    job = server.wait_job(queued)
    assert (job["kind"], job["dataset"], job["label"], job["source"], job["phase"]) == \
        ("import", "receipted", "spring", "my games.csv", "publishing")
    assert job["bytes_total"] == job["bytes_done"] == len(data)
    assert (job["rows_done"], job["rows_rejected"], job["error"]) == (2, 2, None)
    assert when(job["created_at"]) <= when(job["started_at"]) <= when(job["finished_at"])
    receipt = job["result"]
    assert 0 <= receipt.pop("seconds") < 60
    assert receipt == {
        "dataset": "receipted", "mode": "replace", "source": "my games.csv",
        "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data), "gzip": False,
        "encoding": "utf-8",
        "dialect": {"delimiter": ",", "quote": '"', "header": True, "decimal": "."},
        "columns": [{"name": "id", "header": "id", "type": "integer"},
                    {"name": "name", "header": "name", "type": "text"}],
        "key": "id", "ignored_columns": [], "hints": [], "rows_in": 4, "accepted": 2, "rejected": 1,
        "duplicates": 1, "rows": 2, "version": 1}
    version = server.get("/v1/datasets/receipted/versions").json()["data"][0]
    assert (version["source_sha256"], version["source_bytes"], version["label"],
            version["job_id"]) == (receipt["sha256"], len(data), "spring", job["id"])


def watch(server, job):
    """Every state of it that differs from the one before."""
    seen = []

    def has_ended():
        now = server.job(job)
        if not seen or seen[-1] != now:
            seen.append(now)
        return now["finished_at"] is not None

    server.wait_for(has_ended, timeout=60)
    return seen


def check_progress(seen, phases):
    order = [None, *phases]
    running = [s for s in seen if s["state"] == "running"]
    at = [order.index(s["phase"]) for s in running]
    assert at == sorted(at)
    for name in ("bytes_done", "rows_done", "rows_rejected"):
        # What was received is then read from its beginning.
        counts = [(s["phase"] not in (None, "receiving"), s[name]) for s in seen]
        assert counts == sorted(counts), name
    assert all(s["bytes_done"] <= s["bytes_total"] for s in seen if s["bytes_total"])
    beats = sorted({when(s["heartbeat_at"]) for s in running})
    seconds = (beats[-1] - beats[0]).total_seconds()
    # A machine that is busy with other tests may cost one of them.
    assert len(beats) >= 2 * seconds - 1, beats
    gaps = sorted((b - a).total_seconds() for a, b in zip(beats, beats[1:]))
    # Half of them leave a busy machine 0.1 s and more for what delays the others.
    assert gaps[len(gaps) // 2] <= 0.35, gaps
    return running, seconds


def test_progress_of_a_fetch_moves_twice_a_second(server, source):
    seen = watch(server, server.start_import("paced", source.url("/paced.csv")))
    running, seconds = check_progress(seen, ["receiving", "reading", "indexing", "publishing"])
    assert seen[-1]["state"] == "succeeded" and seconds > 1.5
    receiving = [s for s in running if s["phase"] == "receiving"]
    assert len({s["bytes_done"] for s in receiving}) >= 3
    told = [s for s in receiving if s["eta_s"] is not None]
    assert told and all(s["rate_bytes_per_s"] > 0 for s in told)
    assert told[0]["bytes_total"] == seen[-1]["result"]["bytes"]


def test_progress_of_a_load_moves_twice_a_second(server):
    line = b"%d,the same old row again and again,1.25,2020-02-29,a;b;c,true\n"
    data = b"id,name,price,day,tags,flag\n" + b"".join(line % i for i in range(1, 1001)) * 1500
    seen = watch(server, server.start_import("large", data))
    running, _ = check_progress(seen, ["reading", "indexing", "publishing"])
    assert seen[-1]["state"] == "succeeded", seen[-1]
    assert seen[-1]["rows_done"] == 1500000 and seen[-1]["eta_s"] is None
    assert len({s["bytes_done"] for s in running}) >= 2


def test_begin_and_end_of_every_job_are_lines_of_the_log(own_server):
    server = own_server
    said = []
    for request, data in (("good-1", b"id\n1\n"), ("bad-2", b"\n")):
        sent = server.post("/v1/datasets/logged/imports", data=data,
                           headers={"Content-Type": "text/csv", "X-Request-Id": request})
        job = server.wait_job(sent.json())
        lines = [json.loads(line) for line in server.log().splitlines() if line.startswith("{")]
        said += [(line["event"], line["request_id"], line["dataset"], line.get("code"))
                 for line in lines if line.get("job") == job["id"]]
    assert said == [("job_started", "good-1", "logged", None),
                    ("succeeded", "good-1", "logged", None),
                    ("job_started", "bad-2", "logged", None),
                    ("failed", "bad-2", "logged", "empty_file")]


# Cancelling

def cancel(server, job):
    """DELETE answers with the job; the end comes soon."""
    answer = server.delete(f"/v1/jobs/{job['id']}")
    assert answer.status_code in (200, 202), answer.text
    assert answer.json()["id"] == job["id"]
    ended = server.wait_job(job, timeout=15)
    assert (ended["state"], ended["result"]) == ("cancelled", None), ended
    again = server.delete(f"/v1/jobs/{job['id']}")
    assert_problem(again, 409, "job_finished", "cancelled")
    return ended


def test_a_fetch_can_be_cancelled_and_a_queued_job_too(server, source):
    server.import_csv("stopped", b"id\n1\n")
    fetching = server.start_import("stopped", source.url("/paced.csv"))
    server.wait_for(lambda: server.job(fetching)["bytes_done"] > 0)
    waiting = server.start_import("stopped", b"id\n2\n")
    assert server.job(waiting)["state"] == "queued"  # one import per dataset at a time
    assert cancel(server, waiting)["started_at"] is None
    cancel(server, fetching)
    assert rows(server, "stopped") == [(1,)]
    assert versions(server, "stopped") == [(1, True, 1)]


def test_a_load_can_be_cancelled_and_leaves_the_dataset_as_it_was(own_server):
    server = own_server
    server.import_csv("stopped", b"id\n1\n")
    data = b"id,name\n" + b"1,a row\n" * (8 << 20)
    job = server.start_import("stopped", data)
    server.wait_for(lambda: server.pids("load"))
    # It hangs, as it would in a disk that does not answer.
    load = server.pids("load")[0]
    os.kill(load, signal.SIGSTOP)
    server.wait_for(lambda: server.job(job)["state"] == "running")
    cancel(server, job)
    server.wait_for(lambda: not server.pids("load"))
    assert rows(server, "stopped") == [(1,)]
    assert versions(server, "stopped") == [(1, True, 1)]
    folders = os.listdir(os.path.join(server.data, "datasets"))
    server.wait_for(lambda: sum(len(os.listdir(os.path.join(server.data, "datasets", f)))
                                for f in folders) == 1)
    server.import_csv("stopped", b"id\n3\n")
    assert rows(server, "stopped") == [(3,)]


def test_a_cancel_needs_a_key_that_may_write_and_a_job(server):
    assert_problem(server.delete("/v1/jobs/00000000000000000000"), 404, "not_found")
    assert_problem(server.delete("/v1/jobs/00000000000000000000", key=None), 401, "unauthorized")
