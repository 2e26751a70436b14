"""Statistics over HTTP: on real columns they are NumPy's and SciPy's, on degenerate ones those of
exact rational arithmetic."""

import itertools
import warnings
from fractions import Fraction

import numpy
import pytest
import scipy.stats

import oracle
from test_api import assert_problem

pytestmark = pytest.mark.asan

COLUMNS = ["app_id", "required_age", "price", "dlc_count", "positive", "negative", "score_rank"]
ALL = ["count", "nulls", "distinct", "min", "max", "range", "sum", "mean", "median", "variance",
       "std_dev", "iqr", "percentiles", "skewness", "kurtosis"]
FILTERS = [
    [],
    [("price", "gt", "0")],
    [("genres", "has", "Indie"), ("positive", "gte", "10")],
    [("release_date", "gte", "2020-01-01"), ("windows", "exact", "true")],
]


def ask(server, dataset, column, **params):
    answer = server.get(f"/v1/datasets/{dataset}/stats", params={"column": column, **params})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert list(body["data"]) == [column]
    return body["data"][column], body["meta"]


# Real columns, by NumPy and SciPy

@pytest.fixture(scope="module")
def table(games_csv):
    return oracle.Table(games_csv)


def by_numpy(values, ddof, is_biased, percents):
    a = numpy.array(values, dtype=float)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of columns that are constant or single
        return {
            "min": a.min(), "max": a.max(), "range": numpy.ptp(a), "sum": a.sum(),
            "mean": a.mean(), "median": numpy.median(a), "variance": a.var(ddof=ddof),
            "std_dev": a.std(ddof=ddof), "iqr": scipy.stats.iqr(a),
            "skewness": scipy.stats.skew(a, bias=is_biased),
            "kurtosis": scipy.stats.kurtosis(a, bias=is_biased),
        }, {p: numpy.percentile(a, p) for p in percents}


@pytest.mark.parametrize("filters", FILTERS)
@pytest.mark.parametrize("ddof, bias", [(0, 1), (1, 0)])
def test_real_columns_agree_with_numpy_and_scipy(games, table, filters, ddof, bias):
    selected = table.select(filters)
    assert len(selected) > 100
    params = {(c if op == "exact" else f"{c}__{op}"): v for c, op, v in filters}
    percents = {"0th": 0, "1st": 1, "2.5th": 2.5, "50th": 50, "99th": 99, "100th": 100}
    for column in COLUMNS:
        values = table.values(selected, column)
        got, meta = ask(games, "games", column, ddof=ddof, bias=bias,
                        percentiles=",".join(f"{p:g}" for p in percents.values()), **params)
        assert list(got) == ALL
        assert meta == {"total": len(selected), "version": 1}
        assert (got["count"], got["nulls"]) == (len(values), len(selected) - len(values))
        assert got["distinct"] == len(set(values))
        if not values:
            assert {got[name] for name in ALL[3:] if name != "percentiles"} == {None}
            continue
        wanted, quantiles = by_numpy(values, ddof, bool(bias), percents.values())
        # Where SciPy falls back to the biased value there is none, as in pandas.
        least = {"variance": 1 + ddof, "std_dev": 1 + ddof,
                 "skewness": 1 if bias else 3, "kurtosis": 1 if bias else 4}
        for name, want in wanted.items():
            has_no_shape = name in ("skewness", "kurtosis") and len(set(values)) == 1
            if has_no_shape or len(values) < least.get(name, 1):
                assert got[name] is None, (column, name)
                continue
            assert got[name] == pytest.approx(want, rel=1e-9, abs=1e-12), (column, name)
        assert list(got["percentiles"]) == list(percents)
        for name, p in percents.items():
            assert got["percentiles"][name] == pytest.approx(quantiles[p], rel=1e-9)


def test_measures_are_what_all_means(games):
    body = games.get("/v1/datasets/games/stats").json()
    assert list(body["data"]) == oracle.MEASURES
    assert all(list(got) == ALL and list(got["percentiles"]) == ["25th", "50th", "75th"]
               for got in body["data"].values())
    few = games.get("/v1/datasets/games/stats?column=price,positive,price&aggregate=mean,median")
    assert {c: list(got) for c, got in few.json()["data"].items()} == \
        {"price": ["mean", "median"], "positive": ["mean", "median"]}


def test_booleans_are_numbers_and_days_are_days(games, table):
    share, _ = ask(games, "games", "mac")
    values = [row["mac"] for row in table.rows]
    assert share["sum"] == sum(values) and share["mean"] == pytest.approx(sum(values) / len(values))
    days = sorted(table.values(range(len(table.rows)), "release_date"))
    got, _ = ask(games, "games", "release_date")
    assert got == {
        "count": len(days), "nulls": len(table.rows) - len(days), "distinct": len(set(days)),
        "min": days[0].isoformat(), "max": days[-1].isoformat(),
        "range": (days[-1] - days[0]).days,
        "median": (days[(len(days) - 1) // 2] +
                   (days[len(days) // 2] - days[(len(days) - 1) // 2]) // 2).isoformat()}
    for column, kind in (("name", "text"), ("genres", "list")):
        got, _ = ask(games, "games", column)
        assert list(got) == ["count", "nulls", "distinct"] and got["nulls"] == 0
        raw = {row[column] if kind == "text" else row[column][0] for row in table.rows}
        assert got["distinct"] == len(raw)


@pytest.mark.parametrize("column, aggregate", [
    ("name", "min"), ("genres", "median"), ("release_date", "mean"), ("release_date", "sum"),
    ("release_date", "percentiles"), ("about_game", "sum"),
])
def test_what_a_type_does_not_have_is_refused(games, column, aggregate):
    answer = games.get("/v1/datasets/games/stats",
                       params={"column": column, "aggregate": f"count,{aggregate}"})
    problem = assert_problem(answer, 400, "bad_parameter", column)
    assert f"no {aggregate}" in problem["detail"]


@pytest.mark.parametrize("params, part", [
    ("percentiles=101", "'101'"), ("percentiles=-1", "'-1'"), ("percentiles=nan", "'nan'"),
    ("percentiles=1,,2", "''"), ("percentiles=" + ",".join(map(str, range(33))), "at most 32"),
    ("aggregate=avg", "'avg'"), ("aggregate=mean,", "''"), ("ddof=2", "0 to 1"),
    ("bias=maybe", "'maybe'"), ("column=price,", "''"), ("sort=price", "sort"),
])
def test_bad_questions_are_refused_by_name(games, params, part):
    answer = games.get(f"/v1/datasets/games/stats?{params}")
    assert answer.status_code == 400 and part in answer.json()["detail"], answer.text


# Degenerate columns, by exact arithmetic

REALS = {
    "one": [2.5],
    "two": [1.0, 4.0],
    "three": [1.0, 2.0, 4.5],
    "constant": [0.1] * 97,
    "nearly_constant": [1.0] * 50 + [1.0 + 2**-52] * 50,
    "noise": lambda dice: [1e9 + dice.random() for _ in range(1001)],
    "small_noise": lambda dice: [1e9 + dice.randrange(4) * 2**-23 for _ in range(1000)],
    "mixed_signs": lambda dice: [dice.uniform(-1, 1) for _ in range(1000)],
    "cancelling": [1e16, 1.0, -1e16] * 33,
    "negative_zeros": [-0.0, 0.0, -0.0],
    "negative_zero_alone": [-0.0],
    "huge": [1e308, 1e308, -1e308, 5e307],
    "tiny": [5e-324, 1e-310, 2.5e-308],
    "skewed": lambda dice: [dice.lognormvariate(0, 3) for _ in range(999)],
}
INTEGERS = {
    "one": [7],
    "two": [-3, 4],
    "constant": [12345] * 50,
    "noise": lambda dice: [10**9 + dice.randrange(5) for _ in range(1000)],
    "beyond_int64": [2**63 - 1] * 3,
    "below_int64": [-2**63] * 3,
    "ends": [-2**63, 2**63 - 1],
    "within_by_one": [2**62, 2**62 - 1],
    "above_2_53": [2**53 + 1, 2**53 + 3, 2**53 + 5],
    "signs": lambda dice: [dice.randrange(-10**6, 10**6) for _ in range(1000)],
}


@pytest.fixture(scope="module")
def drawn(module_dice):
    """column -> kind -> values"""
    return {column: {kind: values(module_dice) if callable(values) else values
                     for kind, values in table.items()}
            for column, table in (("r", REALS), ("i", INTEGERS))}


@pytest.fixture(scope="module")
def degenerate(server, drawn, module_dice):
    lines = [f"r_{kind},{value!r}," for kind, values in drawn["r"].items() for value in values]
    lines += [f"i_{kind},,{value}" for kind, values in drawn["i"].items() for value in values]
    module_dice.shuffle(lines)  # nulls and the rows of others stand between
    job = server.import_csv("degenerate", "\n".join(["kind,r,i", *lines]).encode(),
                            types="kind:text,r:real,i:integer", header="true", delimiter=",")
    assert job["rows_rejected"] == 0
    return server


def unbiased(exact, values):
    """The sample versions of skewness and kurtosis (scipy.stats, bias=False)."""
    n, out = len(values), dict(exact)
    if exact["skewness"] is not None:
        out["skewness"] = None if n < 3 else \
            exact["skewness"] * oracle.root(Fraction(n * (n - 1))) / (n - 2)
        out["kurtosis"] = None if n < 4 else \
            ((n**2 - 1) * (exact["kurtosis"] + 3) - 3 * (n - 1)**2) / ((n - 2) * (n - 3))
    return out


LARGEST, SMALLEST = Fraction(1.7976931348623157e308), Fraction(2.2250738585072014e-308)


@pytest.mark.parametrize("ddof, bias", itertools.product([0, 1], [0, 1]))
@pytest.mark.parametrize("column, kind", [("r", k) for k in REALS] + [("i", k) for k in INTEGERS])
def test_degenerate_columns_are_exact(degenerate, drawn, column, kind, ddof, bias):
    values = drawn[column][kind]
    got, meta = ask(degenerate, "degenerate", column, kind__exact=f"{column}_{kind}", ddof=ddof,
                    bias=bias, percentiles="0,10,25,50,90,100")
    assert (meta["total"], got["count"], got["nulls"]) == (len(values), len(values), 0)
    assert got["distinct"] == len(set(values))
    wanted = oracle.statistics(values, ddof)
    if not bias:
        wanted = unbiased(wanted, values)
    scale = Fraction(max(map(abs, values))) or 1
    for name, want in wanted.items():
        if want is not None and abs(want) > LARGEST:
            assert got[name] is None, name  # beyond double, as JSON has no infinity
            continue
        if want is not None and abs(want) < SMALLEST:
            assert got[name] == float(want), name
            continue
        near = {"variance": scale**2, "skewness": 1, "kurtosis": 1}.get(name, scale)
        assert oracle.is_close(got[name], want, near), (name, got[name], want and float(want))
    for p in (0, 10, 25, 50, 90, 100):
        assert oracle.is_close(got["percentiles"][f"{p}th"], oracle.percentile(values, p), scale)
    assert "-0" not in (str(v) for v in got.values()) and "-0.0" not in map(str, got.values())


def test_spread_is_exact_where_the_mean_is_large(degenerate, drawn):
    """NumPy loses digits here: these are exact to 1e-9 of the spread, not of the mean."""
    names = {"noise": ["variance", "std_dev", "skewness", "kurtosis"],
             "small_noise": ["variance", "std_dev"], "nearly_constant": ["variance", "std_dev"]}
    for kind in names:
        got, _ = ask(degenerate, "degenerate", "r", kind__exact=f"r_{kind}")
        want = oracle.statistics(drawn["r"][kind])
        for name in names[kind]:
            assert got[name] > 0 or name in ("skewness", "kurtosis")
            assert abs(got[name] / float(want[name]) - 1) < 1e-9, (kind, name)


def test_no_spread_has_no_shape(degenerate):
    """A variance not above (1e-15 mean)^2 counts as zero: skewness and kurtosis have no value."""
    for kind in ("constant", "one", "negative_zeros"):
        got, _ = ask(degenerate, "degenerate", "r", kind__exact=f"r_{kind}")
        assert (got["variance"], got["std_dev"]) == (0, 0), kind
        assert (got["skewness"], got["kurtosis"]) == (None, None), kind
    for kind in ("nearly_constant", "small_noise"):
        got, _ = ask(degenerate, "degenerate", "r", kind__exact=f"r_{kind}")
        assert got["std_dev"] < 1e-15 * got["mean"]
        assert (got["skewness"], got["kurtosis"]) == (None, None), kind


def test_sums_are_integers_while_they_can_be(degenerate):
    def total(kind):
        answer = degenerate.get("/v1/datasets/degenerate/stats", params={
            "column": "i", "aggregate": "sum", "kind__exact": f"i_{kind}"})
        return answer.text.partition('"sum":')[2].partition("}")[0]

    assert total("within_by_one") == str(2**63 - 1)
    assert total("ends") == "-1"
    assert float(total("beyond_int64")) == 3.0 * 2**63 and "e" in total("beyond_int64")
    assert float(total("below_int64")) == -3.0 * 2**63


def test_nothing_selected_is_counted_and_null(degenerate):
    for column in ("r", "i"):
        for params in ({"kind__exact": "nobody"}, {"kind__exact": "i_one" if column == "r" else "r_one"}):
            got, meta = ask(degenerate, "degenerate", column, **params)
            rows = 0 if params["kind__exact"] == "nobody" else 1
            assert meta["total"] == rows
            assert (got["count"], got["nulls"], got["distinct"]) == (0, rows, 0)
            assert got["percentiles"] == {"25th": None, "50th": None, "75th": None}
            assert {got[name] for name in ALL[3:] if name != "percentiles"} == {None}


def test_an_empty_dataset_has_statistics(server):
    server.import_csv("nobody", b"a,b\n", header="true", types="a:real,b:date")
    got = server.get("/v1/datasets/nobody/stats").json()
    assert got["meta"]["total"] == 0 and got["data"]["a"]["count"] == 0
    assert got["data"]["a"]["mean"] is None
    days, _ = ask(server, "nobody", "b")
    assert (days["count"], days["min"], days["median"]) == (0, None, None)


def test_reals_are_finite(server):
    data = b"a,b\n1,x\nnan,y\ninf,z\n-Infinity,w\n1e999,v\n,u\n"
    server.import_csv("infinite", data)
    assert ask(server, "infinite", "a")[0] == {"count": 6, "nulls": 0, "distinct": 6}
    job = server.import_csv("infinite", data, types="a:real")
    reasons = [(r["line"], r["reason"], r["column"]) for r in
               server.get(f"/v1/jobs/{job['id']}/rejects").json()["data"]]
    assert reasons == [(4, "bad_value", "a"), (5, "bad_value", "a"), (6, "bad_value", "a")]
    got, _ = ask(server, "infinite", "a")
    assert (got["count"], got["nulls"], got["max"]) == (1, 2, 1)  # nan is a word for null
    job = server.import_csv("infinite", data, types="a:real", nulls="")
    assert job["rows_rejected"] == 4


def test_what_is_kept_of_all_rows_is_what_is_computed(server, games):
    """Percentiles in another order are computed anew each time; each worker keeps its own."""
    columns = [c["name"] for c in games.get("/v1/datasets/games").json()["columns"]]
    server.import_csv("kept", b"id,n,none,d\n1,5,,2020-01-01\n2,,,2020-02-01\n3,7,,\n",
                      types='{"n": "integer", "none": "real"}')
    questions = [(games, "games", ",".join(columns)), (server, "kept", "id,n,none,d")]
    for (asked, dataset, names), ddof, bias in itertools.product(questions, (0, 1), (0, 1)):
        params = {"column": names, "ddof": ddof, "bias": bias}

        def data(**more):
            answer = asked.get(f"/v1/datasets/{dataset}/stats", params={**params, **more})
            assert answer.status_code == 200, answer.text
            return answer.json()["data"]

        computed = data(aggregate="all", percentiles="75,50,25")
        for _ in range(8):
            assert data(aggregate="all") == computed
        for name in ALL if (ddof, bias) == (1, 0) else ():
            found = {}
            for column, values in computed.items():
                if name in values:
                    found.update(asked.get(f"/v1/datasets/{dataset}/stats", params={
                        **params, "column": column, "aggregate": name}).json()["data"])
            assert found == {c: {name: v[name]} for c, v in computed.items() if name in v}


def test_what_is_kept_ends_with_its_version(server):
    for n in range(1, 4):
        rows = "".join(f"{i},{i * n}\n" for i in range(1, 4))
        server.import_csv("changing", f"id,n\n{rows}".encode())
        for _ in range(8):
            assert ask(server, "changing", "n")[0]["sum"] == 6 * n
            assert ask(server, "changing", "n", id__gt=1)[0]["sum"] == 5 * n
