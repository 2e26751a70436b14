"""Lists as JSON, CSV and NDJSON: the same items in the same order, page by page."""

import csv
import io
import json

import pytest

from harness import problem

EVIL = "\uff1dHYPERLINK(1)"  # full-width
PURCHASES = (b"appsflyer_id,event_name,event_time_utc,revenue_usd,campaign,receipt_id,status\n"
             b"a1,purchase,2025-10-20T08:00:00Z,9.99,spring,R1,success\n")


@pytest.fixture(scope="module")
def filled(server):
    """A player with events and a ledger, two versions of a dataset, the jobs that made them, and a
    run of the reports."""
    for label in ("one", EVIL):
        server.import_csv("table", b"a,b\n1,2\n", label=label)
    server.import_csv("purchases_raw", PURCHASES)
    made = server.wait_job(server.post("/v1/reports/runs", json={"date": "2025-10-20"}).json())
    assert made["state"] == "succeeded", made
    player = server.player("lister")
    for meta in ('{"a" : [1,\n 2], "quote":"\\""}', '"=1+1"', "null", "-5"):
        sent = player.post("/v1/event", data='{"event_type":"e","event_id":null,"meta":%s}' % meta,
                           headers={"Content-Type": "application/json"})
        assert sent.status_code == 201, sent.text
    player.post("/v1/event", json={"event_type": "late", "event_id": EVIL})
    for i, reason in enumerate((EVIL, 'say "hi", twice', None)):
        earned = player.post("/v1/earn", json={"amount": i + 1, **({"reason": reason} if reason else {})})
        assert earned.status_code == 200, earned.text
    return server, player


def get(caller, path, form, **params):
    answer = caller.get(path, params={**params, "format": form})
    assert answer.status_code == 200, answer.text
    return answer


def shown(value, is_any_json, raw):
    """A value as the cell of CSV that it has to be."""
    if is_any_json or isinstance(value, (dict, list)):
        return value
    if isinstance(value, str) and not raw and value.startswith(("=", "+", "-", "@", "\uff1d")):
        return "'" + value
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def check_forms(caller, path, any_json=(), **params):
    """CSV and NDJSON are the page of JSON, whose items are returned."""
    page = get(caller, path, "json", **params)
    items, total = page.json()["data"], page.json()["meta"].get("total")
    assert items, path
    lines = get(caller, path, "ndjson", **params)
    assert lines.headers["Content-Type"].startswith("application/x-ndjson")
    assert [json.loads(line) for line in lines.content.decode().split("\n")[:-1]] == items
    for raw in (False, True):
        table = get(caller, path, "csv", raw=str(raw).lower(), **params)
        assert table.headers["Content-Type"] == "text/csv; charset=utf-8; header=present"
        assert table.headers["Content-Disposition"].endswith('.csv"')
        assert table.content.endswith(b"\r\n")
        header, *rows = csv.reader(io.StringIO(table.content.decode(), newline=""))
        assert header == list(items[0])
        assert len(rows) == len(items)
        for row, item in zip(rows, items):
            for name, cell in zip(header, row, strict=True):
                wanted = shown(item[name], name in any_json, raw)
                is_json = name in any_json or isinstance(wanted, (dict, list))
                assert (json.loads(cell) if is_json else cell) == wanted, (name, cell)
    for other in (lines, table):
        assert ("Link" in other.headers) == page.json()["page"]["has_more"]
        assert other.headers.get("X-Total-Count") == (None if total is None else str(total))
    return items


@pytest.mark.asan
@pytest.mark.parametrize("path", ["/v1/datasets", "/v1/datasets/table/versions", "/v1/jobs",
                                  "/v1/reports", "/v1/reports/runs"])
def test_lists_of_the_desk_are_the_same_in_every_form(filled, path):
    server, _ = filled
    check_forms(server, path)


@pytest.mark.asan
def test_a_players_events_and_ledger_are_the_same_in_every_form(filled):
    _, player = filled
    check_forms(player, "/v1/ledger", limit=2)
    events = check_forms(player, "/v1/events", any_json=["meta"], event_type="e")
    assert [e["meta"] for e in events] == [-5, None, "=1+1", {"a": [1, 2], "quote": '"'}]
    check_forms(player, "/events", any_json=["meta"])


def test_a_table_is_walked_by_its_links_within_the_bound_of_a_page(filled):
    _, player = filled
    walked, path = [], "/v1/events?format=csv&limit=3"
    while path:
        answer = player.get(path)
        assert answer.status_code == 200, answer.text
        header, *rows = csv.reader(io.StringIO(answer.text, newline=""))
        assert header[0] == "id" and 0 < len(rows) <= 3
        walked += [int(row[0]) for row in rows]
        path = answer.headers.get("Link", "").partition(">")[0].lstrip("<")
        assert not path or "format=csv" in path
    assert walked == [e["id"] for e in player.get("/v1/events").json()["data"]] and len(walked) == 8
    for form in ("csv", "ndjson"):
        problem(player.get("/v1/ledger", params={"format": form, "limit": 1001}), 400, "bad_parameter",
                "limit")


def test_a_list_is_what_accept_asks_for_unless_format_does(filled):
    server, player = filled
    for caller, path in ((player, "/v1/ledger"), (server, "/v1/jobs")):
        answer = caller.get(path, headers={"Accept": "text/csv"})
        assert answer.headers["Content-Type"].startswith("text/csv")
        assert "Accept" in answer.headers["Vary"].split(", ")
        answer = caller.get(path, headers={"Accept": "text/csv"}, params={"format": "json"})
        assert answer.headers["Content-Type"] == "application/json"
        problem(caller.get(path, headers={"Accept": "image/png"}), 406, "not_acceptable")
        problem(caller.get(path, params={"format": "xml"}), 400, "bad_parameter", "format")


def test_an_empty_list_is_a_table_with_a_header_alone(filled):
    _, player = filled
    none = {"event_type": "nothing"}
    assert get(player, "/v1/events", "csv", **none).text == (
        "id,event_id,event_type,ts_utc,received_at,player_id,meta\r\n")
    assert get(player, "/v1/events", "ndjson", **none).text == ""
