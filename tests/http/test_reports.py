"""The reports over HTTP: runs as jobs, their results, the daily schedule, and what happens to a run
that is killed, cancelled or without its inputs.  What the figures have to be is tested beside this,
on bare files."""

import csv
import datetime
import hashlib
import io
import json
import os
import re
import signal
import subprocess

import pytest

import harness
from test_api import assert_problem, export

INPUTS = {
    "purchases_raw": b"appsflyer_id,event_name,event_time_utc,revenue_usd,campaign,receipt_id,status\n"
                     b"a1,purchase,2025-10-20T08:00:00Z,9.99,spring,R1,success\n"
                     b"a2,purchase,2025-10-20T09:00:00Z,5,=sum(1),R2,success\n"
                     b"a3,purchase,2025-10-19T09:00:00Z,1,spring,R3,success\n",
    "confirmed_purchases": b"appsflyer_id,event_name,event_time_utc,revenue_usd,campaign,receipt_id\n"
                           b"a1,purchase,2025-10-20T08:01:00Z,9.99,spring,R1\n",
    "costs_daily": b"date,campaign,ad_cost_usd\n2025-10-20,Spring,3\n",
    "sessions": b"event_timestamp_utc,user_id,event_name\n"
                b"2025-10-20T08:00:00Z,u1,open\n2025-10-21T08:00:00Z,u1,open\n",
}
NAMES = ["purchases_curated", "reconciliation", "roas_d1", "roas_anomaly", "arpdau_d1", "deeplink"]
RUNS = "/v1/reports/runs"


def load(server, *names):
    for name in names or INPUTS:
        server.import_csv(name, INPUTS[name])
    return server


def run(server, expect="succeeded", **body):
    answer = server.post(RUNS, json=body) if body else server.post(RUNS)
    assert answer.status_code == 202, answer.text
    job = server.wait_job(answer.json())
    assert job["state"] == expect, job
    return job


def output(server, *path):
    return os.path.join(server.data, "reports", *path)


@pytest.fixture(scope="module")
def made(server):
    load(server)
    server.day = run(server, date="2025-10-20")
    return server


@pytest.mark.asan
def test_a_run_is_a_job_whose_receipt_tells_what_was_made(server):
    load(server)
    answer = server.post(RUNS, json={"date": "2025-10-19"})
    assert answer.headers["Location"] == f"/v1/jobs/{answer.json()['id']}"
    assert answer.headers["Retry-After"] == "1"
    job = server.wait_job(answer.json())
    assert (job["kind"], job["dataset"], job["state"]) == ("report", None, "succeeded")
    assert job["phase"] in ("reading", "writing") and job["error"] is None
    receipt = job["result"]
    assert [job[name] for name in ("bytes_total", "bytes_done", "rows_rejected", "rate_bytes_per_s",
                                   "eta_s")] == [None, 0, 0, None, None]
    assert job["rows_done"] == sum(i["rows"] for i in receipt["inputs"]) == 7
    assert receipt["date"] == "2025-10-19" and receipt["scheduled"] is False
    assert [i["dataset"] for i in receipt["inputs"]] == list(INPUTS)
    for given in receipt["inputs"]:
        content = INPUTS[given["dataset"]]
        assert given["sha256"] == hashlib.sha256(content).hexdigest()
        assert given["rows"] == content.count(b"\n") - 1 and given["version"] >= 1
    assert [r["name"] for r in receipt["reports"]] == NAMES and receipt["seconds"] >= 0
    for report in receipt["reports"]:
        text = server.get(f"/v1/reports/{report['name']}?date=2025-10-19").content
        assert report["made"] and "error" not in report
        assert (len(text), hashlib.sha256(text).hexdigest()) == (report["bytes"], report["sha256"])
        assert json.loads(text)["report"] == report["name"]


def test_without_a_date_it_is_the_day_before_the_newest(made):
    for body in ({}, {"date": None}):
        job = made.wait_job(made.post(RUNS, json=body).json())
        assert job["result"]["date"] == "2025-10-20"
    assert run(made)["result"]["date"] == "2025-10-20"  # no body at all


@pytest.mark.asan
@pytest.mark.parametrize("body, status, code, word", [
    (b'{"date": "2025-13-01"}', 422, "invalid", "2025-13-01"),
    (b'{"date": "2025-02-30"}', 422, "invalid", "2025-02-30"),
    (b'{"date": "../../etc"}', 422, "invalid", "../../etc"),
    (b'{"date": "2025-10-20/.."}', 422, "invalid", "YYYY-MM-DD"),
    (b'{"date": "2025-10-20\\n"}', 422, "invalid", "YYYY-MM-DD"),
    (b'{"date": 20251020}', 422, "invalid", "date is a string"),
    (b'{"date": "9999-12-31"}', 422, "future_date", "has not begun"),
    (b'{"day": "2025-10-20"}', 422, "unknown_member", "it has date"),
    (b'{"dat": "2025-10-20"}', 422, "unknown_member", "did you mean 'date'"),
    (b'[]', 422, "invalid", "object"),
    (b'{"date": "2025-10-20"', 400, "malformed", ""),
])
def test_a_bad_request_starts_nothing(made, body, status, code, word):
    before = made.get("/v1/jobs?kind=report&limit=1").json()["data"]
    answer = made.post(RUNS, data=body, headers={"Content-Type": "application/json"})
    assert_problem(answer, status, code, word)
    assert made.get("/v1/jobs?kind=report&limit=1").json()["data"] == before


@pytest.mark.parametrize("path", ["/v1/reports", "/v1/reports/roas_d1", RUNS])
def test_reports_need_a_key(made, path):
    assert_problem(made.get(path, key=None), 401, "unauthorized")


def test_a_read_key_reads_and_starts_nothing():
    server = harness.Server()
    key = "ab" * 32
    server.edit_config(lambda text: text.replace(
        "keys: []", f'keys:\n  - {{client: desk, scope: read, key: "{key}"}}'))
    try:
        server.start()
        assert server.get("/v1/reports", key=key).status_code == 200
        assert_problem(server.post(RUNS, key=key), 403, "forbidden")
        assert_problem(server.post(RUNS, key=None), 401, "unauthorized")
    finally:
        server.close()


@pytest.mark.asan
def test_the_list_names_each_report_with_its_newest_date(made):
    listed = made.get("/v1/reports").json()
    assert [r["name"] for r in listed["data"]] == NAMES and listed["meta"]["total"] == len(NAMES)
    for report in listed["data"]:
        assert report["date"] == "2025-10-20" and report["title"] and report["last_error"] is None
        content = made.get(report["url"]).content
        assert hashlib.sha256(content).hexdigest() == report["sha256"]
        assert len(content) == report["bytes"]
        assert json.loads(content)["warnings"] == report["warnings"]


@pytest.mark.asan
def test_a_report_is_its_file(made):
    for name in NAMES:
        for ending, kind in (("json", "application/json"), ("csv", "text/csv")):
            with open(output(made, "2025-10-20", f"{name}.{ending}"), "rb") as f:
                content = f.read()
            for how in ({"params": {"format": ending}}, {"headers": {"Accept": kind}}):
                answer = export(made, f"/v1/reports/{name}?date=2025-10-20", **how)
                assert answer.status_code == 200 and answer.content == content
                assert answer.headers["Content-Type"].startswith(kind)
    head = made.request("HEAD", "/v1/reports/roas_d1")
    assert head.status_code == 200 and head.content == b"" and head.headers["ETag"]
    answer = made.get("/v1/reports/roas_d1", headers={"Accept": "image/png"})
    assert_problem(answer, 406, "not_acceptable")


def test_figures_are_those_of_the_inputs(made):
    roas = made.get("/v1/reports/roas_d1").json()
    assert roas["campaigns"] == [
        {"campaign": "=SUM(1)", "revenue_usd": 5, "ad_cost_usd": 0, "roas": None, "no_cost": True},
        {"campaign": "SPRING", "revenue_usd": 9.99, "ad_cost_usd": 3, "roas": 3.33,
         "no_cost": False}]
    assert roas["total"] == {"revenue_usd": 14.99, "ad_cost_usd": 3, "roas": 4.9966666667,
                             "no_cost": False}
    arpdau = made.get("/v1/reports/arpdau_d1").json()
    assert arpdau["total"] == {"revenue_usd": 14.99, "dau": 1, "arpdau": 14.99}
    assert [w["code"] for w in arpdau["warnings"]] == ["payers_exceed_dau"]


def test_a_service_and_the_command_make_the_same_of_the_same(made, tmp_path):
    for name, content in INPUTS.items():
        (tmp_path / f"{name}.csv").write_bytes(content)
    done = subprocess.run([harness.binary(), "report", "--input", str(tmp_path), "--output",
                           str(tmp_path / "out"), "--date", "2025-10-20"], timeout=60)
    assert done.returncode == 0

    def without(text):  # what has to differ
        return re.sub(r'"generated_at":"[^"]*"|"version":(\d+|null)', "", text)
    for name in NAMES[:-1]:
        served = made.get(f"/v1/reports/{name}?date=2025-10-20").text
        assert without(served) == without((tmp_path / "out" / f"{name}.json").read_text())


def test_every_member_of_every_report_is_described(made, described_answers):
    for path in (*(f"/v1/reports/{name}?date=2025-10-20" for name in NAMES), "/v1/reports", RUNS):
        answer = made.get(path)
        assert answer.status_code == 200
        described_answers.check("GET", path, answer)


def test_a_csv_is_escaped_and_the_json_is_not(made):
    text = export(made, "/v1/reports/roas_d1?format=csv").text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [r["campaign"] for r in rows] == ["'=SUM(1)", "SPRING"]
    assert rows[0]["roas"] == "" and rows[1]["roas"] == "3.33"


def test_a_client_that_has_it_gets_304(made):
    for path in ("/v1/reports/roas_d1", "/v1/reports/roas_d1?format=csv"):
        tag = export(made, path).headers["ETag"]
        assert export(made, path, headers={"If-None-Match": tag}).status_code == 304
        other = made.get("/v1/reports/arpdau_d1").headers["ETag"]
        assert export(made, path, headers={"If-None-Match": other}).status_code == 200
    run(made, date="2025-10-20")  # another generated_at
    assert export(made, path, headers={"If-None-Match": tag}).status_code == 200


@pytest.mark.parametrize("path, status, code, word", [
    ("/v1/reports/roas_d2", 404, "not_found", "did you mean 'roas_d1'"),
    ("/v1/reports/..%2f..%2fplaymeter.db", 404, "not_found", ""),
    ("/v1/reports/roas_d1?date=2024-01-01", 404, "no_run", "2025-10-20"),
    ("/v1/reports/roas_d1?date=9999-12-31", 404, "no_run", "9999-12-31 has not begun"),
    ("/v1/reports/roas_d1?date=yesterday", 400, "bad_parameter", "YYYY-MM-DD"),
    ("/v1/reports/roas_d1?date=..%2f2025-10-20", 400, "bad_parameter", "YYYY-MM-DD"),
    ("/v1/reports/roas_d1?dat=2025-10-20", 400, "unknown_parameter", "did you mean 'date'"),
    (f"{RUNS}?date=2025", 400, "bad_parameter", "YYYY-MM-DD"),
    (f"{RUNS}?cursor=x", 400, "bad_parameter", "cursor has 20 bytes, got 1"),
    (f"{RUNS}?cursor=zzzzzzzzzzzzzzzzzzzz", 400, "bad_parameter", "page.next_cursor"),
    ("/v1/jobs?cursor=0123456789abcdefABCD", 400, "bad_parameter", "page.next_cursor"),
])
def test_what_is_not_there_is_said_with_what_is(made, path, status, code, word):
    assert_problem(made.get(path), status, code, word)


def test_a_file_that_was_taken_away_is_gone_and_a_link_is_not_followed(made):
    path = output(made, "2025-10-20", "deeplink.json")
    with open(path, "rb") as f:
        kept = f.read()
    os.unlink(path)
    assert_problem(made.get("/v1/reports/deeplink"), 410, "gone")
    os.symlink(os.path.join(made.data, "admin.key"), path)
    answer = made.get("/v1/reports/deeplink")
    assert answer.status_code >= 400 and made.admin_key not in answer.text
    os.unlink(path)
    with open(path, "wb") as f:
        f.write(kept)


@pytest.mark.asan
def test_runs_are_listed_newest_first_in_pages(made):
    for day in ("2025-10-20", "2025-10-17", "2025-10-18"):
        run(made, date=day)
    seen, path = [], f"{RUNS}?limit=2"
    while path:
        answer = made.get(path).json()
        assert len(answer["data"]) <= 2
        seen += answer["data"]
        path = answer["page"]["next_url"]
    ids = [r["id"] for r in seen]
    assert ids == sorted(ids, reverse=True) and len(set(ids)) == len(ids) >= 4
    for entry in seen[:2]:
        receipt = made.job(entry["job"])["result"]
        for member in ("date", "scheduled", "inputs", "reports"):
            assert entry[member] == receipt[member]
        assert entry["finished_at"]
    of_a_day = made.get(f"{RUNS}?date=2025-10-18").json()["data"]
    assert {r["date"] for r in of_a_day} == {"2025-10-18"}
    # The newest is by date, not by when it was made.
    assert made.get("/v1/reports/roas_d1").json()["date"] == "2025-10-20"


def test_deep_links_are_counted_by_the_day_they_were_opened(made):
    today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    ann = made.player("ann")
    for path in ("character=knight&campaign=spring", "character=knight&campaign=%20Spring",
                 "campaign=spring", "character=a%20b&campaign=spring"):
        assert ann.get(f"/v1/track?{path}").status_code == 200
    assert made.get("/v1/track?character=knight&campaign=spring", key=None).status_code == 200
    job = run(made, date=today)
    if datetime.datetime.now(datetime.timezone.utc).date().isoformat() != today:
        return  # midnight came between
    assert all(r["made"] for r in job["result"]["reports"])
    report = made.get(f"/v1/reports/deeplink?date={today}").json()
    assert report["total"] == {"opens": 5, "players": 1, "missing": 1, "malformed": 1}
    assert report["links"] == [
        {"character": None, "campaign": "SPRING", "opens": 2, "players": 1, "missing": 1,
         "malformed": 1},
        {"character": "knight", "campaign": "SPRING", "opens": 3, "players": 1, "missing": 0,
         "malformed": 0}]


# ---- with services of their own ----

@pytest.mark.asan
def test_without_an_input_the_other_reports_are_made(own_server):
    load(own_server, "purchases_raw", "costs_daily")
    made = {r["name"]: r for r in run(own_server, date="2025-10-20")["result"]["reports"]}
    assert {n for n, r in made.items() if r["made"]} == \
        {"purchases_curated", "roas_d1", "roas_anomaly", "deeplink"}
    assert made["arpdau_d1"]["error"]["code"] == "missing_input"
    assert "sessions" in made["arpdau_d1"]["error"]["detail"]
    listed = {r["name"]: r for r in own_server.get("/v1/reports").json()["data"]}
    assert listed["arpdau_d1"]["date"] is None
    assert listed["arpdau_d1"]["last_error"] == made["arpdau_d1"]["error"]
    assert_problem(own_server.get("/v1/reports/arpdau_d1"), 404, "no_run")


def test_nothing_to_find_a_date_by_is_a_failed_job(own_server):
    job = run(own_server, expect="failed")
    assert job["error"]["code"] == "no_day"
    assert own_server.get(RUNS).json()["data"] == []


def large(server, rows):
    """Purchases that take a run a while, a user each."""
    head = INPUTS["purchases_raw"].splitlines(keepends=True)[0]
    body = b"".join(b"u%d,purchase,2025-10-20T08:%02d:%02dZ,1.5,c%d,X%d,success\n"
                    % (i, i // 60 % 60, i % 60, i % 500, i) for i in range(rows))
    server.import_csv("purchases_raw", head + body)


def test_an_output_that_cannot_be_written_names_the_setting_and_no_path(own_server):
    server = load(own_server)
    run(server, date="2025-10-19")
    with open(output(server, "2025-10-20"), "w") as f:
        f.write("in the way")
    job = run(server, expect="failed", date="2025-10-20")
    assert job["error"]["code"] == "output_unwritable"
    assert "reports.output_dir" in job["error"]["detail"] and server.data not in str(job)
    assert f"{output(server, '2025-10-20')}: Not a directory" in server.log()
    # What is in the way of one report costs that one.
    os.remove(output(server, "2025-10-20"))
    os.makedirs(output(server, "2025-10-20", "roas_d1.json"))
    owner = os.stat(server.data)
    os.chown(output(server, "2025-10-20"), owner.st_uid, owner.st_gid)
    reports = {r["name"]: r for r in run(server, date="2025-10-20")["result"]["reports"]}
    assert reports["roas_d1"]["error"]["code"] == "output_unwritable"
    assert "reports.output_dir" in reports["roas_d1"]["error"]["detail"]
    assert reports["arpdau_d1"]["made"]


@pytest.mark.crash
@pytest.mark.parametrize("end", ["SIGCONT", "SIGKILL"])
def test_a_run_that_is_done_while_the_writer_stands_still_is_stored_when_it_is_back(own_server, end):
    server = load(own_server)
    large(server, 100000)
    job = server.post(RUNS, json={"date": "2025-10-20"}).json()
    server.wait_for(lambda: server.pids("report"))
    child = server.kill("report", signal.SIGSTOP)
    writer = server.kill("writer", signal.SIGSTOP)
    os.kill(child, signal.SIGCONT)
    done = os.path.join(server.data, "spool", job["id"], "run")
    server.wait_for(lambda: os.path.exists(done) and not server.pids("report"), 20)
    assert server.get(RUNS).json()["data"] == [] and server.job(job)["state"] == "running"
    os.kill(writer, getattr(signal, end))
    ended = server.wait_job(job)
    assert ended["state"] == "succeeded", ended
    assert "job_restarts" not in server.log() and "job_requeued" not in server.log()
    stored = server.get(RUNS).json()["data"]
    assert [run["job"] for run in stored] == [job["id"]]
    assert [r["name"] for r in stored[0]["reports"] if r["made"]] == NAMES
    assert server.get("/v1/reports/purchases_curated").json()["summary"]["rows_in"] == 100000


@pytest.mark.crash
def test_a_killed_run_starts_again_and_a_cancelled_one_ends(own_server):
    load(own_server)
    large(own_server, 400000)
    job = own_server.post(RUNS, json={"date": "2025-10-20"}).json()
    own_server.wait_for(lambda: own_server.pids("report"))
    own_server.kill("report")
    done = own_server.wait_job(job)
    assert done["state"] == "succeeded", done
    assert own_server.get("/v1/reports/purchases_curated").json()["summary"]["rows_in"] == 400000
    log = own_server.log()
    assert '"event":"job_restarts"' in log and '"kind":"report"' in log

    before = own_server.get("/v1/reports/purchases_curated").headers["ETag"]
    job = own_server.post(RUNS, json={"date": "2025-10-20"}).json()
    own_server.wait_for(lambda: own_server.pids("report"))
    assert own_server.delete(f"/v1/jobs/{job['id']}").status_code == 200
    assert own_server.wait_job(job)["state"] == "cancelled"
    assert own_server.get("/v1/reports/purchases_curated").headers["ETag"] == before
    assert len(own_server.get(RUNS).json()["data"]) == 1
    own_server.wait_for(lambda: not own_server.pids("report"))

    # Also in the middle of writing the files of a new day, nothing of which may stay.
    job = own_server.post(RUNS, json={"date": "2025-11-01"}).json()
    own_server.wait_for(lambda: os.path.exists(output(own_server, "2025-11-01")))
    own_server.delete(f"/v1/jobs/{job['id']}")
    if own_server.wait_job(job)["state"] == "cancelled":
        assert not os.path.exists(output(own_server, "2025-11-01"))
    names = [n for _, _, files in os.walk(output(own_server)) for n in files]
    assert names and not [n for n in names if n.endswith(".new")]


@pytest.mark.crash
def test_a_version_that_is_dropped_while_it_is_read_is_read_again(server_with):
    server = load(server_with({"imports.versions_kept": 1}))
    large(server, 200000)
    job = server.post(RUNS, json={"date": "2025-10-20"}).json()
    server.wait_for(lambda: server.job(job)["phase"] == "reading" and server.pids("report"))
    child = server.kill("report", signal.SIGSTOP)
    for _ in range(2):
        load(server, "purchases_raw")
    os.kill(child, signal.SIGCONT)
    result = server.wait_job(job)["result"]
    purchases = server.get("/v1/datasets/purchases_raw").json()
    assert result["inputs"][0]["version"] == purchases["version"]
    report = server.get("/v1/reports/purchases_curated").json()
    assert report["summary"]["rows_in"] == purchases["rows"] == 3
    assert report["inputs"][0] == result["inputs"][0]


def test_an_import_and_a_run_do_not_wait_for_each_other(server_with, source):
    server = load(server_with({"imports.concurrent": 1}))
    slow = server.start_import("slow", source.url("/paced.csv"))
    server.wait_for(lambda: server.job(slow)["state"] == "running")
    run(server, date="2025-10-20")
    assert server.job(slow)["state"] == "running"
    server.delete(f"/v1/jobs/{slow['id']}")
    server.wait_job(slow)


@pytest.mark.crash
def test_the_daily_run_is_made_once(server_with):
    """Due at once, whatever the time: the minute was missed while the service was down."""
    server = server_with()
    load(server)
    assert server.get("/v1/jobs?kind=report").json()["data"] == []
    server.edit_config(lambda text: re.sub(r'(?m)^  at: .*', '  at: "00:00"', text))
    server.reload()

    def scheduled():
        # Midnight may come while this runs; then there are two, one for each day.
        jobs = server.get("/v1/jobs?kind=report").json()["data"]
        return [j for j in jobs if j["state"] == "succeeded"]
    server.wait_for(scheduled)
    first = server.get(RUNS).json()["data"][-1]
    assert first["scheduled"] is True
    now = datetime.datetime.now(datetime.timezone.utc).date()
    assert first["date"] in [(now - datetime.timedelta(days=d)).isoformat() for d in (1, 2)]
    codes = {w["code"] for r in first["reports"] for w in r.get("warnings", [])}
    assert "stale_inputs" in codes
    server.restart()
    server.reload()
    beats = os.path.join(server.data, "run", "jobs.heartbeat")
    seen = os.stat(beats).st_mtime_ns
    rounds = set()
    server.wait_for(lambda: rounds.add(os.stat(beats).st_mtime_ns) or len(rounds - {seen}) >= 3)
    runs = server.get(RUNS).json()["data"]
    assert len(runs) == len({r["date"] for r in runs}) and first in runs
    jobs = server.get("/v1/jobs?kind=report").json()["data"]
    assert len(jobs) == len(runs)


def test_rows_that_an_import_rejected_are_a_warning_of_the_report(made):
    made.import_csv("purchases_raw", INPUTS["purchases_raw"] + b"a4,purchase\n")
    run(made, date="2025-10-20")
    report = made.get("/v1/reports/purchases_curated?date=2025-10-20").json()
    assert report["summary"]["rows_in"] == 3
    assert [w["code"] for w in report["warnings"]] == ["rejected_rows"]
    assert "purchases_raw: rows rejected when it was imported: 1;" in report["warnings"][0]["detail"]
    load(made, "purchases_raw")
    run(made, date="2025-10-20")
    report = made.get("/v1/reports/purchases_curated?date=2025-10-20").json()
    assert report["warnings"] == []
