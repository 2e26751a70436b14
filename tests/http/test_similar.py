"""Likeness equals scikit-learn's, titles are found in spite of typing errors."""

import csv
import functools
import glob
import io
import os
import re

import pytest
from sklearn.feature_extraction import text

import oracle

SIMILAR = ["About the game", "Categories", "Genres", "Tags"]


@pytest.fixture(scope="module")
def documents(games_csv):
    """(app_id, name, document) of each row, as the definition joins them."""
    csv.field_size_limit(1 << 24)
    with open(games_csv, newline="", encoding="utf-8-sig") as f:
        rows = list(csv.DictReader(f))
    last = {row["AppID"]: i for i, row in enumerate(rows)}
    return [(int(row["AppID"]), row["Name"], " ".join(row[c] for c in SIMILAR))
            for i, row in enumerate(rows) if last[row["AppID"]] == i]


@pytest.fixture(scope="module")
def vectors(documents):
    return text.TfidfVectorizer(stop_words="english").fit_transform([d[2] for d in documents])


def similar(games, **params):
    answer = games.get("/v1/datasets/games/similar", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ten_best(scores, row, candidates):
    order = sorted((i for i in candidates if i != row and scores[i] > 0),
                   key=lambda i: (-scores[i], i))
    return order[:10]


@pytest.mark.parametrize("filters", [{}, {"price__lt": "5", "genres__has": "Indie"}])
def test_scores_equal_scikit_learns(games, games_csv, documents, vectors, filters, dice):
    candidates = range(len(documents))
    if filters:
        table = oracle.Table(games_csv)
        candidates = table.select([("price", "lt", "5"), ("genres", "has", "Indie")])
    for row in dice.sample(range(len(documents)), min(dice.rounds(40), len(documents))):
        body = similar(games, key=documents[row][0], limit=10, **filters)
        scores = (vectors @ vectors[row].T).toarray().ravel()
        by_id = {documents[i][0]: scores[i] for i in candidates}
        got = [(m["row"]["app_id"], m["similarity_score"]) for m in body["data"]]
        for app_id, score in got:
            assert abs(by_id[app_id] - score) < 1e-6, (documents[row], app_id)
        best = [scores[i] for i in ten_best(scores, row, candidates)]
        dice.reach("ten", len(best) == 10)
        assert len(got) == len(best)
        assert all(abs(a - b) < 1e-6 for (_, a), b in zip(got, best)), documents[row]


def test_shared_terms_stand_in_both_documents(games, documents):
    by_id = {d[0]: d[2].lower() for d in documents}
    row = documents[11]
    for match in similar(games, key=row[0])["data"]:
        assert match["shared_terms"]
        assert match["row"].keys() == {"app_id", "name"}
        for term in match["shared_terms"]:
            assert term in row[2].lower() and term in by_id[match["row"]["app_id"]]


def test_a_title_is_resolved_exactly_then_folded_then_nearly(games, documents):
    names = [d[1] for d in documents]
    name = next(n for n in names if names.count(n) == 1 and len(n) > 12 and n.isascii()
                and [m.lower() for m in names].count(n.lower()) == 1)
    for asked, is_equal in ((name, True), (name.upper(), True), (name[:5] + name[6:], False)):
        match = similar(games, name=asked, limit=1)["meta"]["closest_match"]
        assert match["row"]["name"] == name
        assert (match["score"] == 1) == is_equal


def test_search_finds_titles_with_typing_errors(games, documents, dice):
    long_names = [d for d in documents if 10 < len(d[1]) < 40 and d[1].isascii()]
    found = 0
    for app_id, name, _ in dice.sample(long_names, 50):
        at = dice.randrange(1, len(name) - 1)
        asked = name[:at] + name[at + 1] + name[at] + name[at + 2:]
        answer = games.get("/v1/datasets/games/search", params={"name": asked, "limit": 5})
        assert answer.status_code == 200, answer.text
        rows = answer.json()["data"]
        scores = [m["score"] for m in rows]
        assert scores == sorted(scores, reverse=True)
        found += app_id in [m["row"]["app_id"] for m in rows]
        dice.reach("found first", [m["row"]["app_id"] for m in rows[:1]] == [app_id])
    assert found >= 47


# ---- titles: the definition of query/titles.h, plainly ----

RUN = rb"[a-z0-9\x80-\xff]+"


@functools.cache
def words(title):
    return re.findall(r"[^\W_]+", title)


@functools.cache
def pieces(text):
    return [word[i:i + 3] for word in re.findall(RUN, text) for word in [b"  " + word + b" "]
            for i in range(len(word) - 2)]


def similarity(query, text):
    common, total = len(query & set(text)), len(text)
    return common / (len(query) + total - common) if common else 0


def resemblance(asked, title):
    """0.1 + likeness / 2, of the title or of a stretch of it; 0 below the minima."""
    asked, title = asked.encode(), title.encode()
    query, runs, n = set(pieces(asked)), re.findall(RUN, title), len(re.findall(RUN, asked))
    whole = similarity(query, pieces(title))
    stretches = range(len(runs) - n + 1) if len(runs) > n > 0 and len(title) <= 1000 else ()
    part = max((similarity(query, pieces(b" ".join(runs[i:i + n]))) for i in stretches), default=0)
    best = max(whole if whole >= 0.2 else 0, part if part >= 0.4 else 0)
    return 0.1 + best / 2 if best else 0


def score_of(asked, title):
    query, found = words(asked), words(title)
    size = sum(len(w.encode()) for w in found)
    share = min(1, sum(len(w.encode()) for w in query) / size) if size else 0
    if query and set(query) <= set(found):
        in_order = any(found[i:i + len(query)] == query for i in range(len(found)))
        return (0.9 if in_order else 0.8) + 0.1 * share
    if query and set(query[:-1]) <= set(found) and any(w.startswith(query[-1]) for w in found):
        return 0.6 + 0.2 * share
    return resemblance(asked, title)


def distance(a, b):
    """Optimal string alignment, of the first 64 bytes."""
    a, b = a.encode()[:64], b.encode()[:64]
    d = [[i + j if i * j == 0 else 0 for j in range(len(b) + 1)] for i in range(len(a) + 1)]
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            d[i][j] = min(d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] != b[j - 1]))
            if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1]:
                d[i][j] = min(d[i][j], d[i - 2][j - 2] + 1)
    return d[-1][-1]


def best_titles(titles, asked, limit):
    """(app_id, score) of the best of (app_id, folded title), in row order."""
    asked = oracle.fold(asked)
    scores = [(score, row) for row, (_, title) in enumerate(titles)
              if (score := score_of(asked, title)) >= 0.2]
    least = sorted(scores, reverse=True)[:limit][-1][0] if scores else 0
    order = sorted((-score, distance(asked, titles[row][1]), row) for score, row in scores
                   if score >= least)
    return [(titles[row][0], -score) for score, _, row in order[:limit]]


def random_question(dice, names):
    """What somebody may type who has one of the titles in mind."""
    typed = words(dice.choice(names)) or ["x"]
    at = dice.randrange(len(typed))
    kind = dice.randrange(6)
    if kind == 0:
        return typed[at]
    if kind == 1:
        return typed[at][:dice.randint(1, 6)]
    if kind == 2:
        return " ".join(typed[at:at + dice.randint(1, 4)])
    if kind == 3:
        return " ".join(dice.sample(typed, min(len(typed), dice.randint(1, 3)))).upper()
    text = " ".join(typed[at:at + dice.randint(1, 3)]) if kind == 4 else dice.choice(names)
    i = dice.randrange(len(text))
    return text[:i] + dice.choice([text[i + 1:], text[i:i + 2][::-1] + text[i + 2:],
                                  dice.choice("aeiorst -'é") + text[i + 1:]])


@pytest.mark.asan
def test_search_gives_what_its_definition_says(games, documents, dice):
    titles = [(d[0], oracle.fold(d[1])) for d in documents]
    names = [d[1] for d in documents]
    asked = ["a", "2", "the", "of the", "two", "mars", "portl", "12:34/56", "x y z", "™", "é", "_",
             "ア", "\U0001f600", ("the legend of " * 20)[:200]]
    asked += [random_question(dice, names) for _ in range(dice.rounds(60))]
    for name in filter(lambda n: 0 < len(n.encode()) <= 200, asked):
        limit = dice.choice([1, 3, 10, 10, 100])
        answer = games.get("/v1/datasets/games/search", params={"name": name, "limit": limit})
        assert answer.status_code == 200, answer.text
        got = [(m["row"]["app_id"], m["score"]) for m in answer.json()["data"]]
        wanted = best_titles(titles, name, limit)
        best = wanted[0][1] if wanted else 0
        dice.reach("all words", best > 0.8)
        dice.reach("the last word begun", 0.6 < best <= 0.8)
        dice.reach("alike", 0 < best <= 0.6)
        dice.reach("nothing", not wanted)
        assert [a for a, _ in got] == [a for a, _ in wanted], (name, limit)
        assert [s for _, s in got] == pytest.approx([s for _, s in wanted]), name


def test_search_looks_among_the_rows_of_the_filters(games, games_csv, documents):
    left = oracle.Table(games_csv).select([("price", "lt", "5"), ("genres", "has", "Indie")])
    titles = [(documents[i][0], oracle.fold(documents[i][1])) for i in left]
    path, filters = "/v1/datasets/games/search", {"price__lt": "5", "genres__has": "Indie"}
    assert 100 < len(titles) < len(documents)
    for name in ("two", "the", "galactc", "legend of"):
        answer = games.get(path, params={"name": name, **filters})
        assert answer.status_code == 200, answer.text
        got = [(m["row"]["app_id"], pytest.approx(m["score"])) for m in answer.json()["data"]]
        assert best_titles(titles, name, 10) == got, name
    assert games.get(path, params={"name": "two", "price__lt": "-1"}).json()["data"] == []
    refused = games.get(path, params={"name": "two", "prise": "1"})
    assert (refused.status_code, refused.json()["code"]) == (400, "unknown_parameter")


WORDY = ["Two Lanterns Over the Quiet Northern Harbor", "March Of Tin Soldiers", "Mars",
         "The Last Cypress Beyond the Salt Marshes", "Life on Mars: Definitive Edition of the Story",
         "Grimoire Makers", "Grim Little Grocery", "Marsh Tales", "Space, Dead and Cold", "Dead Space™ 2",
         "Portal™", "日本 の 話"]


def test_words_as_typed_come_first(server):
    """Then words that begin with the last one, then what is like it; and the same for similar."""
    missing = ("Release date,Required age,Price,DLC count,Supported languages,Windows,Mac,Linux,Positive,"
               "Negative,Score rank,Developers,Publishers,Categories,Genres,Tags")
    rows = [f'{i},"{name}",a tale of tin and salt{"," * (missing.count(",") + 1)}'
            for i, name in enumerate(WORDY)]
    server.import_csv("games", "\n".join(["AppID,Name,About the game," + missing, *rows]).encode())

    def found(name):
        answer = server.get("/v1/datasets/games/search", params={"name": name, "fields": "name"})
        assert answer.status_code == 200, answer.text
        return [m["row"]["name"] for m in answer.json()["data"]]

    for name, first in (("two", [0]), ("mars", [2, 4, 7, 3]), ("grim", [6, 5]), ("cypress", [3]),
                        ("DEAD space", [9, 8]), ("portal", [10]), ("salt mar", [3]), ("話", [11]),
                        ("cypess", [3]), ("lanterms", [0]), ("quiet northern", [0])):
        assert found(name)[:len(first)] == [WORDY[i] for i in first], (name, found(name))
    for name, closest in (("two", 0), ("grim", 6), ("cypess", 3), ("mars", 2), ("dead space", 9)):
        short = server.get("/api/similar_games", params={"name": name}).json()
        assert short["closest_match"]["name"] == WORDY[closest], name
        match = similar(server, name=name)["meta"]["closest_match"]
        assert match["row"]["name"] == WORDY[closest]
        assert (match["score"] == 1) == (name == "mars")


@pytest.mark.parametrize("params, status, code", [
    ({}, 400, "bad_parameter"),
    ({"name": "Portal", "key": "400"}, 400, "bad_parameter"),
    ({"name": "x" * 201}, 400, "bad_parameter"),
    ({"name": "§§§§§"}, 404, "not_found"),
    ({"key": "1"}, 404, "not_found"),
    ({"key": "20200", "limit": "0"}, 400, "bad_parameter"),
    ({"key": "20200", "prize__lt": "5"}, 400, "unknown_parameter"),
])
@pytest.mark.asan
def test_bad_questions_are_answered_with_a_reason(games, params, status, code):
    answer = games.get("/v1/datasets/games/similar", params=params)
    assert answer.status_code == status, answer.text
    assert answer.json()["code"] == code


@pytest.mark.asan
@pytest.mark.parametrize("name", [" ", "!!!", "é" * 100, "§§§§§"])
def test_a_search_without_matches_is_an_empty_page(games, name):
    answer = games.get("/v1/datasets/games/search", params={"name": name})
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"] == [] and not answer.json()["page"]["has_more"]


def test_a_dataset_without_the_columns_says_so(server):
    server.import_csv("plain", b"id,label\n1,Portal\n", key="id")
    answer = server.get("/v1/datasets/plain/similar", params={"key": "1"})
    assert (answer.status_code, answer.json()["code"]) == (400, "no_similar_columns")
    answer = server.get("/v1/datasets/plain/search", params={"name": "portal"})
    assert (answer.status_code, answer.json()["code"]) == (400, "no_title")


def test_a_text_column_called_name_or_title_is_the_title(server):
    server.import_csv("shelf", b"name,Title,note\n1,Dune,x\n2,Ubik,y\n")
    answer = server.get("/v1/datasets/shelf/search", params={"name": "dune", "fields": "title"})
    assert answer.json()["data"] == [{"score": 1, "row": {"title": "Dune"}}]
    assert server.get("/v1/datasets/shelf").json()["title"] == "title"


def test_short_form_has_the_original_shape(games, documents):
    answer = games.get("/api/similar_games", params={"name": documents[5][1], "limit": 3})
    body = answer.json()
    assert body["closest_match"].keys() == {"app_id", "name", "release_date", "price"}
    assert body["closest_match"]["name"] == documents[5][1]
    assert len(body["similar_games"]) == 3
    for game in body["similar_games"]:
        assert game.keys() == {"app_id", "name", "release_date", "price", "similarity_score"}


def test_a_damaged_index_is_refused_until_it_is_made_again(own_games):
    server = own_games
    before = similar(server, key="20200")
    path, = glob.glob(os.path.join(server.data, "datasets", "*", "*", "tfidf"))
    for is_deleted in (True, False):
        if is_deleted:
            os.unlink(path)
        else:
            with open(path, "r+b") as f:
                f.write(b"not this")
        server.restart()

        def is_back():
            answer = server.get("/v1/datasets/games/similar", params={"key": "20200"})
            assert server.get("/v1/datasets/games/rows/20200").status_code == 200
            if answer.status_code == 503:
                assert answer.json()["code"] == "index_damaged"
            return answer.status_code == 200
        server.wait_for(is_back)
        assert similar(server, key="20200") == before


def test_a_file_that_is_damaged_under_a_worker_makes_no_similarity_up(own_games):
    server = own_games
    similar(server, key="20200")
    pids = server.pids("query")
    path, = glob.glob(os.path.join(server.data, "datasets", "*", "*", "tfidf"))
    with open(path, "r+b") as f:
        f.write(b"\xff" * os.path.getsize(path))  # as doubles not a number
    for _ in range(8):
        answer = server.get("/v1/datasets/games/similar", params={"key": "20200"})
        assert answer.status_code in (200, 503), answer.text
        assert all(match["shared_terms"] for match in answer.json().get("data", []))
    assert server.pids("query") == pids


def test_similarity_and_titles_keep_to_the_deadline(server_with, games_csv, dice):
    """Rows are read again for their shared terms; titles of nearly a megabyte are looked through."""
    server = server_with({"workers.deadline": "100ms"})
    with open(games_csv, newline="", encoding="utf-8-sig") as f:
        header, first = (row for _, row in zip(range(2), csv.reader(f)))
    words = [f"word{i}" for i in range(50000)]
    # Each text is made of a hundred of these; drawing 84,000 words for each takes a quarter of a minute.
    lines = [" ".join(dice.sample(words, 840)) for _ in range(300)]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(header)
    for app_id in range(1, 131):
        row = dict(zip(header, first))
        text = " ".join(dice.choices(lines, k=100))
        row.update({"AppID": app_id, "Name": text, "About the game": text[:300000]})
        writer.writerow(row[name] for name in header)
    server.import_csv("games", out.getvalue().encode())
    for path in ("similar?key=1&limit=100&fields=app_id", "search?name=word1&fields=app_id"):
        answer = server.get(f"/v1/datasets/games/{path}")
        assert (answer.status_code, answer.json().get("code")) == (503, "deadline"), path
