"""Answers over HTTP equal the ones computed independently from the CSV: 300 random filters, sorts
and statistics; whole walks by cursor, also while a new version is published; exports."""

import csv
import io
import json
import threading

import pytest

import oracle

NUMERIC = ["app_id", "required_age", "price", "dlc_count", "positive", "negative", "score_rank"]
OPERATORS = {
    "number": ["", "exact", "not", "gt", "gte", "lt", "lte", "in", "notin", "isnull", "notnull"],
    "boolean": ["", "exact", "not", "isnull"],
    "text": ["", "exact", "not", "contains", "notcontains", "startswith", "endswith", "in",
             "notin", "gt", "lte"],
    "list": ["", "has", "exact", "not", "contains", "notcontains", "startswith", "endswith",
             "in", "notin"],
}
OPERATORS.update(dict.fromkeys(["integer", "real", "date"], OPERATORS.pop("number")))


@pytest.fixture(scope="module")
def table(games_csv):
    return oracle.Table(games_csv)


def some_text(rng, text):
    """A piece of a real value, in random case."""
    if not text:
        return "e"
    start = rng.randrange(len(text))
    piece = text[start:start + rng.choice([1, 2, 3, 4, 6, 9, 15])]
    return rng.choice([piece, piece.upper(), piece.lower()])


def operand(rng, table, column, op):
    kind = table.kind(column)
    if op in ("isnull", "notnull"):
        return rng.choice(["true", "false"])
    sample = [table.rows[rng.randrange(len(table.rows))][column] for _ in range(3)]
    if kind == "list":
        elements = [e for value in sample for e in value[1]] or ["none"]
        if op in ("in", "notin"):
            return ",".join(e for e in elements[:3] if "," not in e) or "none"
        if op in ("has", "exact", "not"):
            return rng.choice(elements)
        return some_text(rng, rng.choice(elements))
    if kind == "text":
        if op in ("in", "notin"):
            return ",".join(v for v in sample if v and "," not in v)[:1000] or "none"
        value = rng.choice(sample)[:1000]
        if op in ("exact", "not"):
            return rng.choice([value, value.upper()]) or "none"
        if op == "startswith":
            return value[:rng.randrange(1, 5)] or "a"
        if op == "endswith":
            return value[-rng.randrange(1, 5):] or "a"
        return some_text(rng, value)
    shown = [str(v).lower() if isinstance(v, bool) else str(v) for v in sample if v is not None]
    if not shown:
        shown = {"boolean": ["true"], "date": ["2020-02-29"]}.get(kind, ["7"])
    return ",".join(shown) if op in ("in", "notin") else rng.choice(shown)


def question(rng, table):
    filters = []
    for _ in range(rng.choice([1, 1, 1, 2, 2, 3])):
        # Of each type as many: most columns are integers and lists.
        kind = rng.choice(list(OPERATORS))
        column = rng.choice([c for c in table.columns if table.kind(c) == kind])
        op = rng.choice(OPERATORS[kind])
        filters.append((column, op, operand(rng, table, column, op)))
    keys = [(rng.choice(list(table.columns)), rng.random() < 0.5)
            for _ in range(rng.choice([0, 1, 1, 2, 3]))]
    return filters, keys


def parameters(filters):
    return [(c if op == "" else f"{c}__{op}", text) for c, op, text in filters]


def sort_text(keys):
    return ",".join(("-" if descending else "") + column for column, descending in keys)


def test_random_filters_and_sorts_equal_the_oracle(games, table, dice):
    for number in range(dice.rounds(300)):
        filters, keys = question(dice, table)
        params = parameters(filters) + [("limit", "20")]
        if keys:
            params.append(("sort", sort_text(keys)))
        answer = games.get("/v1/datasets/games/rows", params=params)
        why = f"question {number} of {dice}: {params}"
        assert answer.status_code == 200, f"{why}: {answer.text}"
        body = answer.json()
        selected = table.select(filters)
        dice.reach("no match", not selected)
        dice.reach("one page", 0 < len(selected) <= 20)
        dice.reach("more", len(selected) > 20)
        for kind, operators in OPERATORS.items():
            for op in operators:
                dice.reach(f"{kind} {op or '='}", any((table.kind(c), o) == (kind, op)
                                                      for c, o, _ in filters))
        assert body["meta"]["total"] == len(selected), why
        wanted = table.sort(selected, keys)[:20]
        assert body["data"] == [table.as_json(i) for i in wanted], why


def test_random_statistics_equal_exact_arithmetic(games, table, dice):
    for number in range(dice.rounds(60)):
        filters, _ = question(dice, table)
        column = dice.choice(NUMERIC)
        ddof = dice.choice([0, 1])
        params = parameters(filters) + [("column", column), ("ddof", str(ddof))]
        answer = games.get("/v1/datasets/games/stats", params=params)
        why = f"question {number} of {dice}: {params}"
        assert answer.status_code == 200, f"{why}: {answer.text}"
        selected = table.select(filters)
        values = table.values(selected, column)
        dice.reach("nothing", not values)
        dice.reach("one value", len(values) == 1)
        dice.reach("many values", len(values) > 1)
        dice.reach("nulls", len(values) < len(selected))
        got = answer.json()["data"][column]
        assert answer.json()["meta"]["total"] == len(selected), why
        assert got["count"] == len(values), why
        assert got["nulls"] == len(selected) - len(values), why
        assert got["distinct"] == len(set(values)), why
        scale = max(map(abs, values), default=1) or 1
        for name, want in oracle.statistics(values, ddof).items():
            # moments of degree three and four near zero live on a scale of their own
            wide = 1.0 if name in ("skewness", "kurtosis") else scale
            wide = wide * scale if name == "variance" else wide
            assert oracle.is_close(got[name], want, wide), f"{why}: {name} {got[name]} {want}"
        for p in (25, 50, 75):
            want = oracle.percentile(values, p) if values else None
            assert oracle.is_close(got["percentiles"][f"{p}th"], want, scale), f"{why}: {p}"


def walk(server, params):
    """All pages by cursor, as (versions seen, rows)."""
    rows, versions, cursor = [], set(), None
    while True:
        page = server.get("/v1/datasets/games/rows",
                          params=params + ([("cursor", cursor)] if cursor else []))
        assert page.status_code == 200, page.text
        body = page.json()
        rows += body["data"]
        versions.add(body["meta"]["version"])
        assert body["page"]["has_more"] == (body["page"]["next_cursor"] is not None)
        cursor = body["page"]["next_cursor"]
        if not cursor:
            return versions, rows


@pytest.mark.parametrize("params, filters, keys", [
    ([], [], []),
    ([("sort", "-price,name")], [], [("price", True), ("name", False)]),
    ([("genres__has", "action"), ("sort", "release_date")], [("genres", "has", "action")],
     [("release_date", False)]),
])
def test_walking_all_pages_returns_every_match_once(games, table, params, filters, keys):
    params = params + [("limit", "317"), ("fields", "app_id")]
    _, rows = walk(games, params)
    wanted = table.sort(table.select(filters), keys)
    assert [r["app_id"] for r in rows] == [table.rows[i]["app_id"] for i in wanted]


def test_a_walk_goes_on_in_its_version_while_new_ones_are_published(own_games, games_csv, table):
    with open(games_csv, "rb") as f:
        data = f.read()
    walked = []
    walker = threading.Thread(
        target=lambda: walked.append(walk(own_games, [("limit", "50"), ("fields", "app_id")])))
    walker.start()
    # Two publishes: the walk's version is still among the kept ones afterwards.
    for _ in range(2):
        own_games.import_csv("games", data)
    walker.join(60)
    versions, rows = walked[0]
    assert len(versions) == 1
    assert [r["app_id"] for r in rows] == [r["app_id"] for r in table.rows]


def test_a_cursor_of_a_dropped_version_is_410(own_games, games_csv):
    with open(games_csv, "rb") as f:
        data = f.read()
    page = own_games.get("/v1/datasets/games/rows", params={"limit": 5}).json()
    for _ in range(3):
        own_games.import_csv("games", data)
    gone = own_games.get("/v1/datasets/games/rows",
                         params={"limit": 5, "cursor": page["page"]["next_cursor"]})
    assert gone.status_code == 410, gone.text
    assert gone.json()["code"] == "gone"


def test_csv_and_ndjson_exports_hold_every_match(games, table):
    filters = [("price", "lt", "10"), ("genres", "has", "Indie")]
    params = parameters(filters)
    wanted = table.select(filters)
    export = games.get("/v1/datasets/games/rows", params=params + [("format", "ndjson")])
    assert export.headers["Content-Type"].startswith("application/x-ndjson")
    assert [json.loads(line) for line in export.text.split("\n")[:-1]] == \
        [table.as_json(i) for i in wanted]
    export = games.get("/v1/datasets/games/rows",
                       params=params + [("format", "csv"), ("raw", "1")])
    export.encoding = "utf-8"
    rows = list(csv.DictReader(io.StringIO(export.text, newline="")))
    assert [r["Name"] for r in rows] == [table.rows[i]["name"] for i in wanted]
    assert [r["Genres"] for r in rows] == [table.rows[i]["genres"][0] for i in wanted]


def test_row_by_key_is_the_row(games, table, dice):
    for i in dice.sample(range(len(table.rows)), min(dice.rounds(50), len(table.rows))):
        answer = games.get(f"/v1/datasets/games/rows/{table.rows[i]['app_id']}")
        assert answer.status_code == 200, answer.text
        assert answer.json() == table.as_json(i)
