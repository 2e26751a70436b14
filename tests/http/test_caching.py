"""What caches may do with each answer: every operation of the API's description, asked without a
credential, with a key and with a player's token."""

import re

import pytest

from test_api import export
from test_bad_input import GAME, GAMES

PURCHASES = (b"appsflyer_id,event_name,event_time_utc,revenue_usd,campaign,receipt_id,status\n"
             b"a1,purchase,2025-10-20T08:00:00Z,9.99,spring,R1,success\n")
# What the required parameters of an operation take here.
QUESTIONS = {"list_groups": {"by": "genres"}, "get_facets": {"column": "genres"},
             "get_histogram": {"column": "price"}, "search_titles": {"name": "ricochet"},
             "list_similar": {"name": "ricochet"}, "similar_games": {"name": "ricochet"}}
ANYBODY = "no-cache"
CALLER = "private, no-cache"
NOBODY = "no-store"


@pytest.fixture(scope="module")
def filled(server):
    """One of everything that a path can name; the callers; and the described operations."""
    table = GAMES + b"\n" + GAME + b"\n"
    for dataset in ("games", "secrets"):
        job = server.import_csv(dataset, table, **({} if dataset == "games" else {"key": "AppID"}))
    server.import_csv("purchases_raw", PURCHASES)
    run = server.wait_job(server.post("/v1/reports/runs", json={"date": "2025-10-20"}).json())
    assert run["state"] == "succeeded", run
    values = {"dataset": "games", "key": GAME.partition(b",")[0].decode(), "id": job["id"],
              "name": "purchases_curated"}
    player = server.player("cacher")

    def ask(caller, method, path, **more):
        headers = {**({"Authorization": f"Bearer {player.token}"} if caller == "player" else {}),
                   **more.pop("headers", {})}
        key = server.admin_key if caller == "key" else None
        return server.request(method, path, key=key, headers=headers, **more)

    document = server.get("/openapi.json").json()
    operations = [(method.upper(), path.format_map(values), row)
                  for path, rows in document["paths"].items() for method, row in rows.items()
                  if method in ("get", "post", "put", "delete")]
    assert len(operations) > 50
    return ask, operations, document["info"]["version"]


def rule(answer):
    values = answer.raw.headers.getlist("Cache-Control")
    assert len(values) == 1, (answer.request.url, values)
    return values[0]


def test_every_answer_says_who_may_keep_it(filled):
    ask, operations, release = filled
    answered, tagged = set(), set()
    for method, path, row in operations:
        operation = row["operationId"].removesuffix("_at_root")
        if method != "GET":
            continue
        has_tag = "ETag" in row["responses"].get("200", {}).get("headers", {})
        for caller in ("nobody", "key", "player"):
            answer = ask(caller, "GET", path, params=QUESTIONS.get(operation))
            where = f"{caller}: {answer.status_code} {answer.request.url}"
            if answer.status_code != 200:
                assert rule(answer) == NOBODY, where
                continue
            answered.add(operation)
            assert has_tag == ("ETag" in answer.headers), where
            wanted = NOBODY if not has_tag else ANYBODY if caller == "nobody" else CALLER
            assert rule(answer) == wanted, where
            if not has_tag:
                continue
            tagged.add(caller)
            assert answer.headers["ETag"].endswith(f'-{release}"'), where
            again = ask(caller, "GET", path, params=QUESTIONS.get(operation),
                        headers={"If-None-Match": answer.headers["ETag"]})
            assert (again.status_code, rule(again)) == (304, wanted), where
    missing = {row["operationId"].removesuffix("_at_root") for method, _, row in operations
               if method == "GET"} - answered
    assert not missing
    assert tagged == {"nobody", "key", "player"}


def test_a_private_dataset_is_kept_by_nobody_else(filled):
    ask, _, _ = filled
    path = "/v1/datasets/secrets/rows"
    for form in ("json", "csv", "ndjson"):
        answer = ask("key", "GET", path, params={"format": form})
        assert (answer.status_code, rule(answer)) == (200, CALLER)
        for caller in ("nobody", "player"):
            refused = ask(caller, "GET", path, params={"format": form},
                          headers={"If-None-Match": answer.headers["ETag"]})
            assert (refused.status_code, rule(refused)) == (401, NOBODY)


def test_what_changes_something_is_kept_by_nobody(filled):
    ask, operations, _ = filled
    seen = set()
    for method, path, row in operations:
        if method == "GET" or row["operationId"].startswith(("log_out", "delete_me")):
            continue
        for caller in ("nobody", "key", "player"):
            answer = ask(caller, method, path)
            assert rule(answer) == NOBODY, f"{caller}: {answer.status_code} {method} {path}"
            seen.add(answer.status_code)
    assert {401, 409, 422} <= seen


@pytest.mark.parametrize("method, path, status", [
    ("GET", "/nope", 404), ("TRACE", "/livez", 405), ("POST", "/livez", 405),
    ("OPTIONS", "/v1/jobs", 204), ("GET", "/livez?" + "a" * 9000, 414)])
def test_what_nginx_says_alone_is_kept_by_nobody(filled, method, path, status):
    ask, _, _ = filled
    answer = ask("nobody", method, path)
    assert (answer.status_code, rule(answer)) == (status, NOBODY)


def test_the_release_is_the_one_that_is_described(filled, server):
    _, _, release = filled
    tag = export(server, "/v1/datasets/games/rows").headers["ETag"]
    assert re.search(r'-(\d+\.\d+\.\d+)"$', tag).group(1) == release
