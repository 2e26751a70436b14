"""Groups, facets and histograms over HTTP equal pandas and NumPy, under random filters."""

import csv
import datetime
import io
import json
import math
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

import oracle
import test_answers as answers
from test_api import export

QUESTIONS = 120
GROUPS = "/v1/datasets/games/groups"

KEYS = ["genres", "tags", "categories", "developers", "supported_languages", "release_date:year",
        "release_date:month", "release_date:day", "release_date", "price:10", "price:0.1",
        "price:2.5", "price", "positive:100", "positive:2.5", "required_age", "windows", "mac",
        "score_rank", "score_rank:10", "name"]
NUMERIC = ["price", "positive", "negative", "dlc_count", "score_rank", "required_age"]
MOMENTS = ["mean", "sum", "median", "variance", "std_dev", "iqr", "range", "skewness", "kurtosis"]
ANY_TYPE = ["count", "distinct", "nulls"]
EXACT = ["count", "sum(positive)", "max(price)", "min(release_date)", "distinct(name)",
         "count(score_rank)"]


@pytest.fixture(scope="module")
def table(games_csv):
    return oracle.Table(games_csv)


def plain(value):
    """A cell as a group's aggregates see it: of a list, the raw text."""
    return value[0] if isinstance(value, tuple) else value


def part_of(value, part):
    """The value that a key `column:part` groups by, or that a whole column does."""
    if value is None or part == "":
        return value
    if part == "year":
        return value.year
    if part in ("month", "day"):
        return value.isoformat()[:7 if part == "month" else 10]
    width = Decimal(part)
    return float((Decimal(repr(value)) / width).__floor__() * width)


def keys_of_row(row, key):
    column, _, part = key.partition(":")
    value = row[column]
    if isinstance(value, tuple):
        return list(dict.fromkeys(value[1])) or [None]
    return [part_of(value, part)]


def shown(value):
    return value.isoformat() if isinstance(value, datetime.date) else value


def frame(rows, keys, columns):
    """One row per row and group, with the keys in k0 and k1 and the columns to aggregate."""
    data = {c: [plain(r[c]) for r in rows] for c in columns}
    for number, key in enumerate(keys):
        data[f"k{number}"] = [keys_of_row(r, key) for r in rows]
    data["row"] = range(len(rows))
    df = pd.DataFrame(data)
    for number in range(len(keys)):
        df = df.explode(f"k{number}", ignore_index=True)
    return df


def aggregate(group, item, ddof):
    """One aggregate of one pandas group, None where there is no value."""
    name, _, column = item.rstrip(")").partition("(")
    if column == "":
        return len(group)
    cells = group[column]
    if name in ("count", "nulls", "distinct"):
        return {"count": cells.count, "nulls": cells.isna().sum, "distinct": cells.nunique}[name]()
    values = cells.dropna()
    if len(values) == 0:
        return None
    if name in ("min", "max"):
        return shown(getattr(values, name)())
    if name == "range" and isinstance(values.iloc[0], datetime.date):
        return (values.max() - values.min()).days
    values = values.astype(float)
    with np.errstate(all="ignore"):
        found = {
            "range": lambda: values.max() - values.min(),
            "sum": values.sum,
            "mean": values.mean,
            "median": values.median,
            "variance": lambda: values.var(ddof=ddof),
            "std_dev": lambda: values.std(ddof=ddof),
            "iqr": lambda: values.quantile(0.75) - values.quantile(0.25),
            # pandas has the forms that are corrected for bias, and 0 where there is no spread
            "skewness": lambda: values.skew() if values.nunique() > 1 else None,
            "kurtosis": lambda: values.kurt() if values.nunique() > 1 else None,
        }[name]()
    return None if found is None or math.isnan(found) else float(found)


def is_null(value):
    return value is None or (isinstance(value, float) and math.isnan(value)) or value is pd.NaT


def clean_key(value):
    if is_null(value):
        return None
    return shown(value.item() if hasattr(value, "item") else value)


def expected(rows, keys, items, ddof):
    """{keys: {item: value}} by pandas, and the first row of each group."""
    columns = {i.rstrip(")").partition("(")[2] for i in items} - {""}
    df = frame(rows, keys, columns)
    names = [f"k{i}" for i in range(len(keys))]
    out, first = {}, {}
    if len(df) == 0:
        return out, first
    # As text, so that pandas takes 1, 1.0 and True for what they are, and keeps None apart.
    tags = ["t" + name for name in names]
    for name, tag in zip(names, tags):
        df[tag] = ["~" if is_null(v) else f"{type(v).__name__} {v!r}" for v in df[name]]
    for _, group in df.groupby(tags if len(tags) > 1 else tags[0], sort=False):
        key = tuple(clean_key(group[name].iloc[0]) for name in names)
        out[key] = {item: aggregate(group, item, ddof) for item in items}
        first[key] = group["row"].iloc[0]
    return out, first


def fetch_all(server, path, params):
    """All groups, page by page, and the meta of the first page."""
    groups, cursor, meta = [], None, None
    while True:
        page = server.get(path, params=params + ([("cursor", cursor)] if cursor else []))
        assert page.status_code == 200, f"{params}: {page.text}"
        body = page.json()
        groups += body["data"]
        meta = meta or body["meta"]
        cursor = body["page"]["next_cursor"]
        if not cursor:
            return groups, meta


def is_close(item, got, want):
    if not isinstance(got, (int, float)) or not isinstance(want, (int, float)):
        return got == want
    loose = 1e-6 if item.startswith(("skew", "kurt")) else 1e-9
    return math.isclose(got, want, rel_tol=loose, abs_tol=1e-7)


def key_order(key, value, first):
    """Nulls last; text by folded bytes, then elements by bytes and cells by their first row."""
    if value is None:
        return (1,)
    if isinstance(value, str) and ":" not in key:
        kind = oracle.GAMES[key][1]
        tie = value.encode() if kind == "list" else first
        return (0, oracle.fold(value).encode(), tie)
    return (0, value)


def assert_same(groups, want, first, keys, items, why):
    got = {tuple(g[k] for k in keys): g for g in groups}
    assert len(got) == len(groups), f"{why}: a group came twice"
    assert set(got) == set(want), why
    for key, values in want.items():
        for item in items:
            assert is_close(item, got[key][item], values[item]), \
                f"{why}: {key} {item} {got[key][item]} {values[item]}"


def assert_ordered(groups, first, keys, order, why):
    """order: list of (key or item, descending)."""
    # Of each value of a key, not of its groups: those of one value go by the next key.
    rows = {name: {} for name in keys}
    for group, row in first.items():
        for name, value in zip(keys, group):
            rows[name][value] = min(row, rows[name].get(value, row))
    ordered = list(groups)
    for name in reversed(keys):
        ordered.sort(key=lambda g, n=name: key_order(n, g[n], rows[n][g[n]]))
    for name, descending in reversed(order):
        some = [g for g in ordered if g[name] is not None]
        none = [g for g in ordered if g[name] is None]
        some.sort(key=lambda g, n=name: key_order(n, g[n], rows[n][g[n]]) if n in keys else g[n],
                  reverse=descending)
        ordered = some + none
    assert groups == ordered, why


def some_item(rng):
    if rng.random() < 0.3:
        column = rng.choice(list(oracle.GAMES))
        return f"{rng.choice(ANY_TYPE)}({column})"
    if rng.random() < 0.2:
        return f"{rng.choice(['min', 'max', 'range'])}(release_date)"
    return f"{rng.choice(MOMENTS + ['min', 'max'])}({rng.choice(NUMERIC)})"


def passes(value, op, bound):
    if value is None:
        return False
    return {"gt": value > bound, "gte": value >= bound, "lt": value < bound,
            "lte": value <= bound, "exact": value == bound, "not": value != bound}[op]


def test_random_groups_equal_pandas(games, table, dice):
    for number in range(dice.rounds(QUESTIONS)):
        filters, _ = answers.question(dice, table)
        if dice.random() < 0.5:
            filters = [("price", dice.choice(["lt", "gte"]), str(dice.choice([1, 5, 10])))]
        keys = dice.sample(KEYS, dice.choice([1, 1, 2]))
        items = list(dict.fromkeys(["count"] + [some_item(dice) for _ in range(3)]))
        hidden = dice.choice(EXACT)
        selected = table.select(filters)
        rows = [table.rows[i] for i in selected]
        if len(rows) * len(keys) > 2500:
            # pandas takes a second for each ten thousand groups
            keys = [k for k in keys if k in KEYS[:1] + KEYS[5:7] + KEYS[9:10]] or ["genres"]
        want, first = expected(rows, keys, list(dict.fromkeys(items + [hidden])), 1)
        params = answers.parameters(filters) + [
            ("by", ",".join(keys)), ("aggregate", ",".join(items)), ("ddof", "1"),
            ("bias", "false"), ("limit", "1000")]
        order = []
        if dice.random() < 0.6:
            order = [(dice.choice(items + keys), dice.random() < 0.5) for _ in range(2)]
            params.append(("sort", answers.sort_text(order)))
        bounds = [w[hidden] for w in want.values() if w[hidden] is not None]
        if bounds and dice.random() < 0.5:
            op, bound = dice.choice(["gt", "gte", "lt", "lte", "exact", "not"]), dice.choice(bounds)
            params.append(("having", f"{hidden}__{op}={bound}"))
            want = {k: w for k, w in want.items() if passes(w[hidden], op, bound)}
        why = f"question {number} of {dice}: {params}"
        dice.reach("one key", len(keys) == 1)
        dice.reach("two keys", len(keys) == 2)
        dice.reach("sorted", bool(order))
        dice.reach("having", params[-1][0] == "having")
        dice.reach("having that leaves none", params[-1][0] == "having" and not want)
        dice.reach("no group", not want)
        dice.reach("many groups", len(want) > 50)
        groups, meta = fetch_all(games, GROUPS, params)
        assert meta["total"] == len(want) and meta["rows"] == len(rows), why
        assert_same(groups, want, first, keys, items, why)
        assert_ordered(groups, first, keys, order, why)


def test_groups_of_every_game_equal_pandas(games, table):
    items = ["count", "mean(price)", "sum(positive)", "median(negative)", "distinct(publishers)",
             "nulls(score_rank)", "max(release_date)"]
    for keys in (["genres"], ["release_date:year"], ["genres", "release_date:year"],
                 ["windows", "mac"], ["price:10"]):
        want, first = expected(table.rows, keys, items, 0)
        groups, meta = fetch_all(games, GROUPS, [("by", ",".join(keys)), ("limit", "1000"),
                                                 ("aggregate", ",".join(items))])
        assert meta["total"] == len(want) and meta["rows"] == len(table.rows)
        assert_same(groups, want, first, keys, items, keys)
        assert_ordered(groups, first, keys, [], keys)


def test_facets_are_the_largest_groups(games, table, dice):
    for _ in range(dice.rounds(20)):
        filters, _ = answers.question(dice, table)
        columns = dice.sample(KEYS, 3)
        answer = games.get("/v1/datasets/games/facets", params=answers.parameters(filters) + [
            ("column", ",".join(columns)), ("limit", "7")])
        assert answer.status_code == 200, answer.text
        rows = [table.rows[i] for i in table.select(filters)]
        assert list(answer.json()["data"]) == columns
        assert answer.json()["meta"]["total"] == len(rows)
        for column in columns:
            want, first = expected(rows, [column], ["count"], 0)
            ordered = sorted(want, key=lambda k, f=first: key_order(column, k[0], f[k]))
            ordered.sort(key=lambda k: -want[k]["count"])
            facet = answer.json()["data"][column]
            dice.reach("no value", not want)
            dice.reach("all values", 0 < len(want) <= 7)
            dice.reach("more values", len(want) > 7)
            assert facet["total"] == len(want)
            assert facet["has_more"] == (len(want) > 7)
            assert facet["values"] == [{"value": k[0], "count": want[k]["count"]}
                                       for k in ordered[:7]], (filters, column)


def test_histograms_equal_numpy(games, table, dice):
    for _ in range(dice.rounds(60)):
        filters, _ = answers.question(dice, table)
        column, bins = dice.choice(NUMERIC + ["release_date"]), dice.choice([1, 2, 7, 10, 100, 1000])
        answer = games.get("/v1/datasets/games/histogram", params=answers.parameters(filters) + [
            ("column", column), ("bins", str(bins))])
        assert answer.status_code == 200, answer.text
        body, selected = answer.json(), table.select(filters)
        values = table.values(selected, column)
        assert body["meta"]["total"] == len(selected)
        assert body["meta"]["nulls"] == len(selected) - len(values)
        assert body["meta"]["min"] == (shown(min(values)) if values else None)
        assert body["meta"]["max"] == (shown(max(values)) if values else None)
        is_date = column == "release_date"
        dice.reach("nothing", not values)
        dice.reach("one value", bool(values) and min(values) == max(values))
        dice.reach("numbers", len(values) > 1 and not is_date)
        dice.reach("dates", len(values) > 1 and is_date)
        if not values:
            assert body["data"] == []
            continue
        if is_date:
            day = 86400000.0
            values = [(v - datetime.date(1970, 1, 1)).days * day for v in values]
            span = None if min(values) < max(values) else (values[0] - day / 2, values[0] + day / 2)
            counts, edges = np.histogram(values, bins, span)
        else:
            counts, edges = np.histogram(np.array(values), bins)
        why = (filters, column, bins)
        assert [b["count"] for b in body["data"]] == counts.tolist(), why
        got = [b["from"] for b in body["data"]] + [body["data"][-1]["to"]]
        assert [b["to"] for b in body["data"]] == got[1:], why
        if is_date:
            got = [datetime.datetime.fromisoformat(e.replace("Z", "+00:00")).timestamp() * 1000
                   for e in got]
            assert all(abs(g - e) <= 1 for g, e in zip(got, edges)), why
        else:
            assert got == edges.tolist(), why


MADE = """id,word,tags,level,score,seen,on
1,RPG,"a,b,a",-1,-0.3,2024-02-29T23:59:59.999Z,true
2,rpg,"A",0,0.3,2024-03-01T00:00:00Z,false
3,Rpg,,9,0.7,,
4,"=1+1","b",10,,1969-12-31T23:59:59Z,true
5,rpg,"b,a",-10,2.675,2024-02-29T00:00:00Z,
6,,"é,É",,-0.1,1970-01-01T00:00:00Z,false
"""
TYPES = json.dumps({"word": "text", "tags": "list", "level": "integer", "score": "real",
                    "seen": "datetime", "on": "boolean", "id": "integer"})


@pytest.fixture(scope="module")
def made(server):
    server.import_csv("made", MADE.encode(), types=TYPES)
    return server


@pytest.mark.parametrize("by, want", [
    ("tags", [("a", 2), ("A", 1), ("b", 3), ("É", 1), ("é", 1), (None, 1)]),
    ("word", [("", 1), ("=1+1", 1), ("RPG", 1), ("rpg", 2), ("Rpg", 1)]),
    ("level:10", [(-10, 2), (0, 2), (10, 1), (None, 1)]),
    ("level:3", [(-12, 1), (-3, 1), (0, 1), (9, 2), (None, 1)]),
    ("level:2.5", [(-10, 1), (-2.5, 1), (0, 1), (7.5, 1), (10, 1), (None, 1)]),
    ("score:0.1", [(-0.3, 1), (-0.1, 1), (0.3, 1), (0.7, 1), (2.6, 1), (None, 1)]),
    ("score:1", [(-1, 2), (0, 2), (2, 1), (None, 1)]),
    ("seen:year", [(1969, 1), (1970, 1), (2024, 3), (None, 1)]),
    ("seen:month", [("1969-12", 1), ("1970-01", 1), ("2024-02", 2), ("2024-03", 1), (None, 1)]),
    ("seen:day", [("1969-12-31", 1), ("1970-01-01", 1), ("2024-02-29", 2), ("2024-03-01", 1),
                  (None, 1)]),
    ("seen", [("1969-12-31T23:59:59Z", 1), ("1970-01-01T00:00:00Z", 1),
              ("2024-02-29T00:00:00Z", 1), ("2024-02-29T23:59:59.999Z", 1),
              ("2024-03-01T00:00:00Z", 1), (None, 1)]),
    ("on", [(False, 2), (True, 2), (None, 2)]),
])
def test_what_a_row_is_grouped_by(made, by, want):
    body = made.get("/v1/datasets/made/groups", params={"by": by}).json()
    # "A" and "a" have one folded form, and so have "É" and "é": bytes decide.
    if by == "tags":
        want = sorted(want[:3], key=lambda w: (oracle.fold(w[0]).encode(), w[0].encode())) + want[3:]
    assert [(g[by], g["count"]) for g in body["data"]] == want


def test_having_and_sort_take_what_is_not_shown(made):
    def ask(**params):
        return [g["word"] for g in made.get("/v1/datasets/made/groups",
                                            params={"by": "word", **params}).json()["data"]]

    assert ask(sort="-max(score)") == ["rpg", "Rpg", "RPG", "", "=1+1"] or \
        ask(sort="-max(score)") == ["rpg", "Rpg", "", "RPG", "=1+1"]
    assert ask(having="max(score)__isnull=true") == ["=1+1"]
    assert ask(having="max(score)__notnull=true,count=1,sum(level)__gt=-1") == ["Rpg"]
    assert ask(having="max(seen)__gt=2024-02-29") == ["rpg"]
    assert ask(having="max(seen)__gte=2024-02-29") == ["RPG", "rpg"]
    assert ask(having="max(seen)__lt=1970-01-01") == ["=1+1"]


def test_csv_and_ndjson_hold_every_group(games, made):
    params = {"by": "developers", "aggregate": "count,mean(price)", "sort": "-count"}
    pages, meta = fetch_all(games, GROUPS, [*params.items(), ("limit", "1000")])
    lines = export(games, GROUPS, params={**params, "format": "ndjson"})
    assert lines.headers["X-Total-Count"] == str(meta["total"]) == str(len(pages))
    assert [json.loads(line) for line in lines.text.split("\n")[:-1]] == pages
    table = export(made, "/v1/datasets/made/groups",
                   params={"by": "word,seen:day", "aggregate": "count,min(seen)",
                           "format": "csv"})
    assert table.headers["Content-Type"].startswith("text/csv")
    rows = list(csv.reader(io.StringIO(table.text, newline="")))
    assert rows[0] == ["word", "seen:day", "count", "min(seen)"]
    assert rows[2] == ["'=1+1", "1969-12-31", "1", "1969-12-31T23:59:59Z"]
    assert rows[-1] == ["Rpg", "", "1", ""]
    bins = export(games, "/v1/datasets/games/histogram",
                  params={"column": "price", "bins": 4, "format": "csv"})
    assert bins.text.splitlines()[0] == "from,to,count" and len(bins.text.splitlines()) == 5


def test_a_cursor_belongs_to_its_question(games):
    first = games.get(GROUPS, params={"by": "tags", "limit": 2}).json()
    cursor = first["page"]["next_cursor"]
    other = games.get(GROUPS, params={"by": "tags", "limit": 2, "sort": "count",
                                      "cursor": cursor})
    assert other.status_code == 400 and other.json()["code"] == "cursor_mismatch"
    rows = games.get("/v1/datasets/games/rows", params={"cursor": cursor})
    assert rows.status_code == 400 and rows.json()["code"] == "cursor_mismatch"
    following = games.get(first["page"]["next_url"]).json()
    assert following["data"][0] not in first["data"]


@pytest.mark.parametrize("path", ["groups?by=genres", "facets?column=genres",
                                  "histogram?column=price"])
def test_unchanged_answers_are_304(games, path):
    answer = games.get(f"/v1/datasets/games/{path}")
    again = games.get(f"/v1/datasets/games/{path}",
                      headers={"If-None-Match": answer.headers["ETag"]})
    assert answer.status_code == 200 and again.status_code == 304


@pytest.mark.parametrize("path, parts", [
    ("groups", ["by", "genres"]),
    ("groups?by=genras", ["genras", "genres"]),
    ("groups?by=genres,tags,name", ["at most 2"]),
    ("groups?by=genres,genres", ["genres", "once"]),
    ("groups?by=genres:year", ["genres", "list"]),
    ("groups?by=release_date:yeer", ["yeer", "year"]),
    ("groups?by=price:0", ["width", "'0'"]),
    ("groups?by=price:1e3", ["width", "1e3"]),
    ("groups?by=price:-5", ["width", "-5"]),
    ("groups?by=genres&aggregate=meen(price)", ["meen", "mean"]),
    ("groups?by=genres&aggregate=mean(prize)", ["prize", "price"]),
    ("groups?by=genres&aggregate=mean(tags)", ["tags", "list", "count, nulls, distinct"]),
    ("groups?by=genres&aggregate=mean", ["mean(price)"]),
    ("groups?by=genres&aggregate=percentiles(price)", ["percentiles", "median"]),
    ("groups?by=genres&having=count>3", ["count>3", "__gt"]),
    ("groups?by=genres&having=count__gtt=3", ["gtt", "gt"]),
    ("groups?by=genres&having=count__gt=many", ["many", "number"]),
    ("groups?by=genres&having=max(release_date)__gt=7", ["'7'", "day"]),
    ("groups?by=genres&sort=cuont", ["cuont", "count"]),
    ("groups?by=genres&limit=1001", ["1000", "1001"]),
    ("groups?by=genres&aggregat=count", ["aggregat", "aggregate"]),
    ("facets?column=genras", ["genras", "genres"]),
    ("facets", ["column"]),
    ("histogram?column=name", ["name", "text", "price"]),
    ("histogram?column=prize", ["prize", "price"]),
    ("histogram?column=price&bins=0", ["bins", "1000", "'0'"]),
])
@pytest.mark.asan
def test_wrong_questions_are_refused_by_name(games, path, parts):
    answer = games.get(f"/v1/datasets/games/{path}")
    assert answer.status_code == 400, answer.text
    body = answer.json()
    assert all(part in body["detail"] for part in parts), body["detail"]
    assert body["errors"][0]["name"]


@pytest.mark.asan
def test_groups_facets_and_histograms_answer(games):
    for path in ("groups?by=tags,release_date:year&aggregate=count,iqr(price),distinct(name)",
                 "facets?column=name,genres,price:5", "histogram?column=positive&bins=1000",
                 "groups?by=name&format=csv&aggregate=kurtosis(price),median(release_date)"):
        answer = export(games, f"/v1/datasets/games/{path}")
        assert answer.status_code == 200 and answer.content, answer.text


def test_too_many_groups_are_refused(server):
    lines = "".join(f"{i},{i % 7}\n" for i in range(100001))
    server.import_csv("many", ("a,b\n" + lines).encode())
    answer = server.get("/v1/datasets/many/groups", params={"by": "a"})
    assert answer.status_code == 400 and answer.json()["code"] == "too_many_groups"
    assert "100000" in answer.json()["detail"]
    fewer = server.get("/v1/datasets/many/groups", params={"by": "a", "a__lt": "100000",
                                                           "sort": "-a", "limit": 1})
    assert fewer.status_code == 200 and fewer.json()["meta"]["total"] == 100000
    assert fewer.json()["data"] == [{"a": 99999, "count": 1}]
    facets = server.get("/v1/datasets/many/facets", params={"column": "a,b", "limit": 1})
    assert facets.json()["data"]["a"] == {"total": 100001, "has_more": True,
                                          "values": [{"value": 0, "count": 1}]}
    wide = server.get("/v1/datasets/many/groups", params={"by": "a,b"})
    assert wide.status_code == 400 and wide.json()["code"] == "too_many_groups"


@pytest.mark.shipped
def test_many_facets_take_the_memory_of_one(server):
    server.import_csv("numbers", b"n\n" + b"".join(b"%d\n" % (i % 1000) for i in range(100000)))
    path = "/v1/datasets/numbers/facets"
    assert server.get(path, params={"column": "n"}).status_code == 200
    names = ",".join(f"n:{width}" for width in range(1, 300))
    before = {pid: peak_bytes(pid) for pid in server.pids("query")}
    answer = server.get(path, params={"column": names, "limit": 1})
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["data"]) == 299
    assert max(peak_bytes(pid) - before[pid] for pid in before) < 32 << 20


def peak_bytes(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmHWM")) << 10


def test_pairs_of_long_lists_keep_to_the_deadline(server_with):
    """Fewer rows than are grouped between two looks at the clock, and 90,000 pairs in each."""
    server = server_with({"workers.deadline": "100ms"})
    words = ",".join(f"w{i}" for i in range(300))
    server.import_csv("pairs", f"a,b\n".encode() + f'"{words}","{words}"\n'.encode() * 4000,
                      types="a:list,b:list")
    answer = server.get("/v1/datasets/pairs/groups", params={"by": "a,b"})
    assert (answer.status_code, answer.json().get("code")) == (503, "deadline"), answer.text[:300]


@pytest.mark.parametrize("numbers, said", [(0, "(there are none)"), (500, "there are: n0, n1, ")])
def test_a_histogram_of_text_names_what_there_is_instead(server, numbers, said):
    names = [f"n{i}" for i in range(numbers)]
    lines = [["word", *names], ["x"] + ["1"] * numbers]
    server.import_csv("mixed", "\n".join(map(",".join, lines)).encode() + b"\n")
    answer = server.get("/v1/datasets/mixed/histogram", params={"column": "word"})
    assert answer.status_code == 400 and said in answer.json()["detail"], answer.text
