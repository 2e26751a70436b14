"""Types and filters of the contract, cell by cell, on a small dataset that has one column of each
type; names that collide with parameters; keys; and the short form."""

import csv
import datetime
import io
import unicodedata

import pytest

from test_api import assert_problem, export

ROWS = "/v1/datasets/zoo/rows"
TYPES = ("id:integer,name:text,price:real,n:integer,flag:boolean,day:date,at:datetime,tags:list")
ZOO = (
    'id,name,price,n,flag,day,at,tags\n'
    '1,École 100%,1.5,10,true,2020-01-31,2020-02-29T00:00:00Z,"Action, Indie"\n'
    '2,ecole_x,,NA,No,,,\n'
    '3,"Straße, x",-2,-5,FALSE,"Feb 1, 2020",2020-02-29 23:59:59.999,"[\'a, b\', ""c\'s""]"\n'
    '4,ΣΊΣΥΦΟΣ,1e3,98.0,yes,1999-12-31,2020-03-01T01:00:00+02:00,Indie\n'
    '5,=1+1,0,9223372036854775807,\\N,2020-02-29,2020-03-01,"A CO., LTD., b"\n'
)
LAST = 9223372036854775807


@pytest.fixture(scope="module")
def zoo(server):
    job = server.import_csv("zoo", ZOO.encode(), types=TYPES, key="id")
    assert job["rows_rejected"] == 0
    return server


def ids(server, params, path=ROWS):
    answer = server.get(path, params={"fields": "id", **params})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    found = [r["id"] for r in body["data"]]
    assert body["meta"]["total"] == len(found)
    return found


@pytest.mark.asan
def test_cells_become_values_of_their_types(zoo):
    assert [list(r.values()) for r in zoo.get(ROWS).json()["data"]] == [
        [1, "École 100%", 1.5, 10, True, "2020-01-31", "2020-02-29T00:00:00Z", ["Action", "Indie"]],
        [2, "ecole_x", None, None, False, None, None, []],
        [3, "Straße, x", -2, -5, False, "2020-02-01", "2020-02-29T23:59:59.999Z", ["a, b", "c's"]],
        [4, "ΣΊΣΥΦΟΣ", 1000, 98, True, "1999-12-31", "2020-02-29T23:00:00Z", ["Indie"]],
        [5, "=1+1", 0, LAST, None, "2020-02-29", "2020-03-01T00:00:00Z", ["A CO.", "LTD.", "b"]],
    ]


def test_a_dataset_tells_about_its_columns(zoo):
    about = zoo.get("/v1/datasets/zoo").json()
    assert (about["rows"], about["key"], about["declared"], about["public"]) == (5, "id", False, False)
    assert about["updated_at"] >= about["created_at"]
    assert {c["name"]: (c["type"], c["nulls"], c["distinct"], c["min"], c["max"])
            for c in about["columns"]} == {
        "id": ("integer", 0, 5, 1, 5),
        "name": ("text", 0, 5, None, None),
        "price": ("real", 1, 4, -2, 1000),
        "n": ("integer", 1, 4, -5, LAST),
        "flag": ("boolean", 1, 2, False, True),
        "day": ("date", 1, 4, "1999-12-31", "2020-02-29"),
        "at": ("datetime", 1, 4, "2020-02-29T00:00:00Z", "2020-03-01T00:00:00Z"),
        "tags": ("list", 0, 5, None, None),
    }


@pytest.mark.parametrize("word", ["NA", "N/A", "NULL", "null", "NaN", "nan", "\\N", "", " NA "])
def test_words_for_nothing_are_null_but_in_text(server, word):
    cell = f'"{word}"'
    data = "id,text,tags,i,r,b,d,t\n1," + ",".join([cell] * 7) + "\n"
    server.import_csv("nothing", data.encode(), types="text:text,tags:list,i:integer,r:real,"
                      "b:boolean,d:date,t:datetime")
    row = server.get("/v1/datasets/nothing/rows").json()["data"][0]
    assert list(row.values())[3:] == [None] * 5
    assert row["text"] == word and row["tags"] == ([word.strip()] if word else [])


@pytest.mark.asan
@pytest.mark.parametrize("name, value, found", [
    # text: simple folding, accents kept, % and _ plain
    ("name", "ÉCOLE", [1]), ("name", "ecole", [2]), ("name", "%", [1]), ("name", "_", [2]),
    ("name", "STRAẞE", [3]), ("name", "strasse", []), ("name", "σίσυφος", [4]),
    ("name__exact", "école 100%", [1]), ("name__exact", "école", []), ("name__not", "ECOLE_X", [1, 3, 4, 5]),
    ("name__contains", "E", [1, 2, 3]), ("name__notcontains", "E", [4, 5]),
    ("name__startswith", "éc", [1]), ("name__endswith", "Σ", [4]), ("name__endswith", "X", [2, 3]),
    ("name__in", "ecole_x,=1+1", [2, 5]), ("name__in", "Straße, x", []),
    ("name__in", '["straße, X", "ecole_x"]', [2, 3]), ("name__notin", '["straße, X"]', [1, 2, 4, 5]),
    ("name__gt", "ecole_x", [1, 3, 4]), ("name__isnull", "true", []), ("name__notnull", "true", [1, 2, 3, 4, 5]),
    # numbers
    ("price", "1.50", [1]), ("price__exact", "1e3", [4]), ("price__not", "1.5", [3, 4, 5]),
    ("price__gt", "0", [1, 4]), ("price__gte", "-0", [1, 4, 5]), ("price__lt", "0", [3]),
    ("price__lte", "0", [3, 5]), ("price__in", "0,-2.0", [3, 5]), ("price__in", "[0, -2]", [3, 5]),
    ("price__notin", "0", [1, 3, 4]), ("price__isnull", "true", [2]),
    ("price__isnull", "false", [1, 3, 4, 5]), ("price__notnull", "true", [1, 3, 4, 5]),
    ("price__notnull", "false", [2]),
    ("n", "98", [4]), ("n", "98.0", [4]), ("n__gte", str(LAST), [5]), ("n__lt", str(LAST + 1), [1, 3, 4, 5]),
    ("n__gt", "9.5", [1, 4, 5]), ("n__not", "10", [3, 4, 5]), ("n__notin", "10,98", [3, 5]),
    # booleans
    ("flag", "1", [1, 4]), ("flag", "0", [2, 3]), ("flag", "YES", [1, 4]), ("flag__not", "true", [2, 3]),
    ("flag__in", "true,false", [1, 2, 3, 4]), ("flag__isnull", "1", [5]),
    # dates and datetimes; a day is all of it
    ("day", "2020-01-31", [1]), ("day__gt", "2020-01-31", [3, 5]), ("day__lte", "2020-01-31", [1, 4]),
    ("day__in", "2020-01-31,1999-12-31", [1, 4]), ("day__isnull", "true", [2]),
    ("at", "2020-02-29", [1, 3, 4]), ("at__not", "2020-02-29", [5]), ("at__gt", "2020-02-29", [5]),
    ("at__gte", "2020-02-29", [1, 3, 4, 5]), ("at__lt", "2020-02-29", []),
    ("at__lte", "2020-02-29", [1, 3, 4]), ("at", "2020-02-29T23:59:59.999Z", [3]),
    ("at", "2020-03-01T01:00:00+02:00", [4]), ("at__in", "2020-02-29,2020-03-01", [1, 3, 4, 5]),
    # lists: raw text, or elements
    ("tags", "ind", [1, 4]), ("tags__contains", "N, I", [1]), ("tags__notcontains", "indie", [2, 3, 5]),
    ("tags__has", "INDIE", [1, 4]), ("tags__has", "ind", []), ("tags__exact", "a, b", [3]),
    ("tags__not", "indie", [2, 3, 5]), ("tags__in", "indie,c's", [1, 3, 4]),
    ("tags__in", '["a, b"]', [3]), ("tags__notin", "indie,c's", [2, 5]),
    ("tags__startswith", "act", [1]), ("tags__endswith", "td.", [5]), ("tags__isnull", "true", []),
    # aliases, words, order
    ("min_price", "0", [1, 4, 5]), ("max_price", "0", [3, 5]), ("max_day", "2020-01-31", [1, 4]),
    ("q", "x straße", [3]), ("q", "École 100", [1]), ("q", "indie", []), ("q", "  ", [1, 2, 3, 4, 5]),
    ("sort", "price", [3, 5, 1, 4, 2]), ("sort", "-price", [4, 1, 5, 3, 2]),
    ("sort", "flag,-id", [3, 2, 4, 1, 5]), ("sort", "-flag,id", [1, 4, 2, 3, 5]),
    ("sort", "name", [5, 2, 3, 1, 4]), ("sort", "-at", [5, 3, 4, 1, 2]), ("sort", "-n", [5, 4, 1, 3, 2]),
])
def test_a_filter_finds(zoo, name, value, found):
    assert ids(zoo, {name: value}) == found


def test_filters_are_joined_by_and(zoo):
    assert ids(zoo, {"price__gte": "0", "flag": "true", "tags__has": "indie"}) == [1, 4]
    assert ids(zoo, {"price__gt": ["0", "2"]}) == [4]


@pytest.mark.parametrize("name, value, words", [
    ("price__gt", "cheap", ["price__gt", "'cheap'", "number"]),
    ("price", "nan", ["'nan'"]), ("price__lt", "1e400", ["'1e400'"]),
    ("n", "1.5", ["'1.5'", "integer"]), ("n__in", "1,x", ["'x'"]), ("n__exact", "", ["''"]),
    ("flag", "2", ["'2'", "true or false"]), ("flag__isnull", "maybe", ["'maybe'"]),
    ("day", "2020-02-30", ["'2020-02-30'", "2026-01-31"]), ("at", "noon", ["'noon'"]),
    ("name__in", '["a"', ["JSON array"]), ("name__in", '["a", null]', ["item 2", "isnull"]),
])
def test_a_value_that_does_not_parse_is_named(zoo, name, value, words):
    problem = assert_problem(zoo.get(ROWS, params={name: value}), 400, "bad_parameter")
    assert [e["name"] for e in problem["errors"]] == [name]
    assert [w for w in words if w not in problem["detail"]] == [], problem


@pytest.mark.parametrize("name, words", [
    ("prise", ["'prise'", "'price'"]), ("prise__gt", ["'price'"]), ("min_prise", ["'min_price'"]),
    ("price__contains", ["'contains'", "real", "exact not gt"]), ("tags__gt", ["list", "has"]),
    ("flag__lt", ["boolean"]), ("price__gtt", ["'gt'"]), ("before", ["'before'"]),
])
def test_an_unknown_filter_is_named_with_the_nearest(zoo, name, words):
    problem = assert_problem(zoo.get(ROWS, params={name: "1"}), 400, "unknown_parameter")
    assert [w for w in words if w not in problem["detail"]] == [], problem


def test_files_hold_all_or_as_many_as_asked(server):
    lines = "".join(f"{i},row {i}\n" for i in range(2500))
    server.import_csv("many", ("id,Full Name\n" + lines).encode(), key="id")
    path = "/v1/datasets/many/rows"
    assert len(server.get(path).json()["data"]) == 50
    assert len(server.get(f"{path}?limit=1000").json()["data"]) == 1000
    for form in ("csv", "ndjson"):
        head = form == "csv"
        assert len(export(server, f"{path}?format={form}").text.splitlines()) == 2500 + head
        assert len(export(server, f"{path}?format={form}&limit=1200").text.splitlines()) == 1200 + head
    table = export(server, f"{path}?format=csv&fields=full_name,id&sort=-id&limit=1").text
    assert table == "Full Name,id\r\nrow 2499,2499\r\n"


def cells_of(server, path, **params):
    answer = export(server, path, params={"format": "csv", **params})
    return list(csv.reader(io.StringIO(answer.content.decode(), newline="")))


def escaped_table(server, name, cells):
    """The cells of a column of text as CSV has them; raw ones come back as they were sent."""
    quoted = "".join('%d,"%s"\n' % (i, c.replace('"', '""')) for i, c in enumerate(cells))
    server.import_csv(name, ("id,text\n" + quoted).encode(), types="text:text", header="true",
                      delimiter=",", quote='"', nulls="")
    path = f"/v1/datasets/{name}/rows"
    assert [row[1] for row in cells_of(server, path, raw=1)[1:]] == cells
    return [row[1] for row in cells_of(server, path)[1:]]


def test_cells_that_a_spreadsheet_would_run_are_escaped(server):
    leads = ["", " ", "\u00a0", "\u3000 ", "\u200b", "\ufeff", "\u202e", "\x0b", "\x1f", "\x85", "\u2028"]
    live = [lead + sign + "1" for lead in leads for sign in "=+-@＝＋－＠\u2212"]
    live += ["\t", "\ta", "\r=1", "\na", "=", "-x", '="a","b"', "-5"]
    dead = ["a=1", "'=1", "", " ", "1-1", "\u00a0a", "é=1", "– dash", "\u200b"]
    assert escaped_table(server, "live", live + dead) == ["'" + c for c in live] + dead


def test_every_form_of_a_formula_sign_is_escaped(server):
    """By Unicode's own data: whatever NFKC makes begin with one, and no other symbol."""
    signs = "+\u2212-@="
    cells = [chr(c) + "1" for c in range(0x21, 0x110000)
             if unicodedata.category(chr(c))[0] in "PS"
             or unicodedata.normalize("NFKC", chr(c))[0] in signs]
    others = "\u02d6\u02d7\u2795\u2796"  # signs without a plain form
    assert len(cells) > 5000
    assert escaped_table(server, "signs", cells) == [
        "'" * (unicodedata.normalize("NFKC", c)[0] in signs + others) + c for c in cells]


def test_headers_are_escaped_as_cells_are_and_numbers_never(server):
    file = b"@id,=sum,-neg,\xef\xbc\x9dwide, +lead,plain\n-1,-2.5,3,4,5,@x\n"
    server.import_csv("heads", file, header="true", delimiter=",")
    path = "/v1/datasets/heads/rows"
    assert cells_of(server, path, raw=1) == list(csv.reader(io.StringIO(file.decode())))
    assert cells_of(server, path) == [["'@id", "'=sum", "'-neg", "'＝wide", "' +lead", "plain"],
                                      ["-1", "-2.5", "3", "4", "5", "'@x"]]
    assert cells_of(server, path, raw=1, fields="plain,id") == [["plain", "@id"], ["@x", "-1"]]
    groups = "/v1/datasets/heads/groups"
    assert cells_of(server, groups, by="plain", aggregate="min(id)") == [["plain", "min(id)"], ["'@x", "-1"]]


def test_columns_named_like_parameters_are_still_found(server):
    server.import_csv("named", b"limit,sort,q,min_price,price,a__b\n5,b,x,7,9,1\n6,a,y,8,10,2\n")
    path = "/v1/datasets/named/rows"

    def prices(**params):
        answer = server.get(path, params=params)
        assert answer.status_code == 200, answer.text
        return [r["price"] for r in answer.json()["data"]]

    assert prices(limit=1) == [9] and prices(limit__exact=6) == [10]
    assert prices(sort="-price") == [10, 9] and prices(sort__exact="a") == [10]
    assert prices(min_price=8) == [10]  # the column, not the alias
    assert prices(q__exact="y") == [10] and prices(a_b=1) == [9]


def test_a_row_is_found_by_its_key_whatever_it_holds(server):
    server.import_csv("keyed", 'code,v\na/b,1\n"x y",2\né%,3\nA/B,4\n?,5\n'.encode(), key="code")
    for key, v in (("a%2Fb", 1), ("x%20y", 2), ("%C3%A9%25", 3), ("A%2fB", 4), ("%3F", 5)):
        assert server.get(f"/v1/datasets/keyed/rows/{key}").json()["v"] == v
    assert_problem(server.get("/v1/datasets/keyed/rows/x+y"), 404, "not_found", "'x+y'")


# The short form

@pytest.mark.asan
def test_the_short_form_pages_by_offset(games):
    path = "/api/query?max_price=1"
    total = games.get("/v1/datasets/games/rows?max_price=1&limit=1").json()["meta"]["total"]
    everything = games.get(f"{path}&limit=1000", key=None).json()["results"]
    seen, cursor = [], 0
    while cursor is not None:
        page = games.get(f"{path}&limit=130&cursor={cursor}", key=None).json()
        assert page["status"] == f"{total} found"  # of all pages, not of this one
        seen += page["results"]
        assert page["cursor"] in (cursor + 130, None)
        cursor = page["cursor"]
    assert seen[:len(everything)] == everything and len({r["id"] for r in seen}) == len(seen) == total
    behind = games.get(f"{path}&cursor={total}", key=None).json()
    assert behind == {"status": f"{total} found", "results": [], "cursor": None}
    assert len(games.get("/api/query", key=None).json()["results"]) == 10


def test_the_short_form_takes_the_filters_and_refuses_the_rest(games):
    path = "/api/query"
    game = games.get("/v1/datasets/games/rows?release_date__notnull=true&limit=1").json()["data"][0]
    day = datetime.date.fromisoformat(game["release_date"])
    near = {"after": day - datetime.timedelta(1), "before": day + datetime.timedelta(1)}
    strict = games.get(path, params={**near, "limit": 1000}, key=None).json()["results"]
    assert {r["release_date"] for r in strict} == {game["release_date"]}
    assert game["app_id"] in [r["app_id"] for r in strict]
    found = games.get(path, params={"name": game["name"].upper(), "release_date": day,
                                    "windows": str(game["windows"]).lower()}, key=None).json()
    assert game["app_id"] in [r["app_id"] for r in found["results"]]
    table = games.get("/v1/datasets/games/rows?format=csv&fields=genres&raw=1",
                      params={"app_id": game["app_id"]}).text
    assert list(csv.reader(io.StringIO(table, newline="")))[1] == [found["results"][0]["genres"]]
    for bad in ("nme=x", "limit=0", "limit=1001", "cursor=-1", "cursor=x", "sort=name", "price=x"):
        answer = games.get(f"{path}?{bad}", key=None)
        assert answer.status_code == 400, bad
        assert answer.json()["errors"][0]["name"] == bad.partition("=")[0]
    assert_problem(games.get("/api/stats?column=prise", key=None), 400, "bad_parameter", "price")
