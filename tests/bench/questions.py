"""What is asked of the product and of its peers: a row per question.  An answer is compared before
any is timed; one that differs ends the benchmark."""

import math
import statistics
from collections import namedtuple
from urllib.parse import quote

import peers
from probe import ask

ASKED = 30  # times in a row of the product, per round
PEER_ASKED = 3

BASE = "/v1/datasets/games/"
COUNT_PATH = BASE + "rows?about_game__contains=dragon&limit=1&fields=app_id"
STATS_PATH = BASE + "stats?column=all&price__gt=1"
PHRASE = "of the"
MEASURES = ["price", "dlc_count", "positive", "negative"]

# path: of the product; {key} and {title} are another row each time.  pick: the numbers to compare
# out of its answer.  peers: name of a peer -> how it is asked.  close: relative and absolute.
Question = namedtuple("Question", "line path pick peers close", defaults=[1e-9])


def each(template, glue=", "):
    return glue.join(template.format(c=c) for c in MEASURES)


def pick_statistics(answer):
    return [[s["count"], s["distinct"], s["min"], s["max"], s["range"], s["sum"], s["mean"],
             s["median"], s["variance"], s["std_dev"], s["iqr"], *s["percentiles"].values(),
             s["skewness"], s["kurtosis"]] for s in (answer["data"][c] for c in MEASURES)]


def pick_sums(answer):
    return [[answer["data"][c][a] for c in MEASURES for a in ("mean", "sum", "min", "max")]]


def pick_groups(answer):
    return [[g["genres"], g["count"], g["mean(price)"]] for g in answer["data"]
            if g["genres"] is not None]


def pick_facets(answer):
    """Rows without an element are the value null here; peers have no such thing."""
    return [[v["count"] for v in answer["data"][c]["values"] if v["value"] is not None][:10]
            for c in ("genres", "tags")]


# DuckDB's skewness is that of a sample; the factor makes it SciPy's.
DUCKDB_STATISTICS = "SELECT " + each(
    "[count({c}), count(DISTINCT {c}), min({c}), max({c}), max({c}) - min({c}), sum({c}), avg({c}),"
    " median({c}), var_pop({c}), stddev_pop({c}), quantile_cont({c}, 0.75) - "
    "quantile_cont({c}, 0.25), quantile_cont({c}, 0.25), quantile_cont({c}, 0.5), "
    "quantile_cont({c}, 0.75), skewness({c}) * (count({c}) - 2) / "
    "sqrt(count({c})::DOUBLE * (count({c}) - 1)), kurtosis_pop({c})]") + \
    " FROM games"
SUMS = "SELECT " + each("avg({c}), sum({c}), min({c}), max({c})") + " FROM games WHERE price > 1"
DUCKDB_ELEMENTS = "(SELECT price, unnest({c}) AS {c} FROM games)"
DUCKDB_GROUPS = ("SELECT genres, count(price), avg(price) FROM "
                 + DUCKDB_ELEMENTS.format(c="genres") + " GROUP BY genres ORDER BY lower(genres)")
DUCKDB_FACETS = "SELECT " + ", ".join(
    f"(SELECT list(n) FROM (SELECT count(*) AS n FROM {DUCKDB_ELEMENTS.format(c=c)} "
    f"GROUP BY {c} ORDER BY n DESC LIMIT 10))" for c in ("genres", "tags"))

def count_of(needle):
    """DuckDB's fastest way: ILIKE takes five times as long, contains(lower()) twice."""
    return {"sqlite3 shell": f"SELECT count(*) FROM games WHERE about_game LIKE '%{needle}%'",
            "DuckDB": f"SELECT count(*) FROM games WHERE regexp_matches(about_game, '{needle}', 'i')"}


def pick_total(answer):
    return [[answer["meta"]["total"]]]


GAMES = [
    Question("count of a substring, engine ms", COUNT_PATH, pick_total, count_of("dragon")),
    # Too short for a trigram; and one whose trigrams all stand in almost every text.
    Question("count of two letters, engine ms", COUNT_PATH.replace("dragon", "ox"), pick_total,
             count_of("ox")),
    Question("count of a phrase of common words, engine ms",
             COUNT_PATH.replace("dragon", quote(PHRASE)), pick_total, count_of(PHRASE)),
    Question("statistics of 4 columns, filtered, engine ms", STATS_PATH, pick_statistics,
             {"NumPy and SciPy": peers.filtered_statistics,
              "DuckDB": DUCKDB_STATISTICS + " WHERE price > 1"}),
    Question("statistics of 4 columns, all rows, engine ms", BASE + "stats?column=all",
             pick_statistics, {"NumPy and SciPy": peers.all_statistics,
                               "DuckDB": DUCKDB_STATISTICS}),
    Question("mean, sum, min, max of 4 columns, filtered, engine ms",
             STATS_PATH + "&aggregate=mean,sum,min,max", pick_sums,
             {"sqlite3 shell": SUMS, "DuckDB": SUMS}),
    Question("mean price by genre, engine ms",
             BASE + "groups?by=genres&aggregate=count,mean(price)&limit=1000", pick_groups,
             {"pandas": peers.mean_price_by_genre, "DuckDB": DUCKDB_GROUPS}),
    Question("facets of genres and tags, engine ms",
             BASE + "facets?column=genres,tags&limit=20", pick_facets,
             {"pandas": peers.facet_counts, "DuckDB": DUCKDB_FACETS}),
    Question("histogram of price, engine ms", BASE + "histogram?column=price&bins=20",
             lambda a: [b["count"] for b in a["data"]], {"NumPy": peers.histogram_counts}),
    Question("similar games, top 10, engine ms", BASE + "similar?key={key}&limit=10",
             lambda a: [g["similarity_score"] for g in a["data"]],
             {"scikit-learn": peers.similar_scores}, 1e-6),
    Question("title with a typing error, engine ms", BASE + "search?name={title}&limit=10",
             None, {}),
]


def path_for(question, row):
    """`row` is (key, name); the name loses a letter in its middle."""
    key, name = row
    middle = len(name) // 2
    return question.path.format(key=key, title=quote(name[:middle] + name[middle + 1:]))


def flat(value):
    if isinstance(value, (list, tuple)):
        for part in value:
            yield from flat(part)
    elif isinstance(value, dict) and "items" in value:  # a list as DuckDB's client writes it
        yield from flat(value["items"])
    else:
        yield value


def check(server, asked, by_name, rows):
    """The product and each peer give the same answer; also warms all of them."""
    for question in asked:
        for i in (0, 1, 2) if "{" in question.path else (0,):
            ours = ask(server, path_for(question, rows[i]))[1]
            for name, how in question.peers.items():
                if name in by_name:
                    check_equal(question.line, question.pick(ours), name,
                                by_name[name].ask(how, i)[1], question.close)


def measure(server, asked, by_name, rows, first, results):
    """The product and each peer by turns; rows from `first` on by turns, for the questions that are
    about one."""
    for question in asked:
        results.add(question.line, statistics.median(
            ask(server, path_for(question, rows[first + i]))[0] for i in range(ASKED)))
        for name, how in question.peers.items():
            if name in by_name:
                results.add(question.line, statistics.median(
                    by_name[name].ask(how, first + i)[0] for i in range(PEER_ASKED)), name)


def check_equal(line, ours, peer, theirs, close):
    """Text exactly, numbers to `close`."""
    ours, theirs = list(flat(ours)), list(flat(theirs))
    assert len(ours) == len(theirs), (line, peer, len(ours), len(theirs), ours, theirs)
    for a, b in zip(ours, theirs):
        same = a == b if isinstance(a, str) or isinstance(b, str) else \
            math.isclose(a, b, rel_tol=close, abs_tol=close)
        assert same, (line, peer, a, b)
