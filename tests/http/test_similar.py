"""Likeness equals scikit-learn's, titles are found in spite of typing errors."""

import csv
import glob
import io
import os
import random
import re

import pytest
from sklearn.feature_extraction import text

import harness
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
def test_scores_equal_scikit_learns(games, games_csv, documents, vectors, filters):
    candidates = range(len(documents))
    if filters:
        table = oracle.Table(games_csv)
        candidates = table.select([("price", "lt", "5"), ("genres", "has", "Indie")])
    rng = random.Random(7)
    for row in rng.sample(range(len(documents)), 40):
        body = similar(games, key=documents[row][0], limit=10, **filters)
        scores = (vectors @ vectors[row].T).toarray().ravel()
        by_id = {documents[i][0]: scores[i] for i in candidates}
        got = [(m["row"]["app_id"], m["similarity_score"]) for m in body["data"]]
        for app_id, score in got:
            assert abs(by_id[app_id] - score) < 1e-6, (documents[row], app_id)
        best = [scores[i] for i in ten_best(scores, row, candidates)]
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


def test_search_finds_titles_with_typing_errors(games, documents):
    rng = random.Random(3)
    long_names = [d for d in documents if 10 < len(d[1]) < 40 and d[1].isascii()]
    found = 0
    for app_id, name, _ in rng.sample(long_names, 50):
        at = rng.randrange(1, len(name) - 1)
        asked = name[:at] + name[at + 1] + name[at] + name[at + 2:]
        answer = games.get("/v1/datasets/games/search", params={"name": asked, "limit": 5})
        assert answer.status_code == 200, answer.text
        rows = answer.json()["data"]
        scores = [m["score"] for m in rows]
        assert scores == sorted(scores, reverse=True)
        found += app_id in [m["row"]["app_id"] for m in rows]
    assert found >= 47


def pieces(title):
    return [word[i:i + 3] for word in re.findall("[a-z0-9]+", title.lower())
            for word in ["  " + word + " "] for i in range(len(word) - 2)]


def test_search_gives_the_scores_of_its_definition(games, documents):
    titles = {d[0]: pieces(d[1]) for d in documents if d[1].isascii()}
    rng = random.Random(5)
    names = [d[1] for d in documents if d[1].isascii() and len(d[1]) < 60]
    asked = ["a", "2", "the", "of the", "portl", "12:34/56", "x y z", ("the legend of " * 20)[:200]]
    asked += [n[rng.randrange(len(n) // 2 + 1):] for n in rng.sample(names, 30)]
    for name in filter(None, asked):
        answer = games.get("/v1/datasets/games/search", params={"name": name, "limit": 1000})
        assert answer.status_code == 200, answer.text
        got = {m["row"]["app_id"]: m["score"] for m in answer.json()["data"]}
        assert len(got) < 1000, name
        query, want = set(pieces(name)), {}
        for app_id, title in titles.items():
            common = len(query & set(title))
            if common and common / (len(query) + len(title) - common) >= 0.2:
                want[app_id] = common / (len(query) + len(title) - common)
        assert {a: s for a, s in got.items() if a in titles} == pytest.approx(want), name


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
    server.import_csv("plain", b"id,name\n1,Portal\n", key="id")
    answer = server.get("/v1/datasets/plain/similar", params={"key": "1"})
    assert (answer.status_code, answer.json()["code"]) == (400, "no_similar_columns")
    answer = server.get("/v1/datasets/plain/search", params={"name": "portal"})
    assert (answer.status_code, answer.json()["code"]) == (400, "no_title")


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


def test_a_file_that_is_damaged_under_a_worker_makes_no_likeness_up(own_games):
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


def test_likeness_and_titles_keep_to_the_deadline(server_with, games_csv):
    """Rows are read again for their shared terms; titles of nearly a megabyte are looked through."""
    server = server_with({"workers.deadline": "100ms"})
    with open(games_csv, newline="", encoding="utf-8-sig") as f:
        header, first = (row for _, row in zip(range(2), csv.reader(f)))
    rng = random.Random(1)
    words = [f"word{i}" for i in range(50000)]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(header)
    for app_id in range(1, 131):
        row = dict(zip(header, first))
        text = " ".join(rng.choices(words, k=84000))
        row.update({"AppID": app_id, "Name": text, "About the game": text[:300000]})
        writer.writerow(row[name] for name in header)
    server.import_csv("games", out.getvalue().encode())
    for path in ("similar?key=1&limit=100&fields=app_id", "search?name=word1&fields=app_id"):
        answer = server.get(f"/v1/datasets/games/{path}")
        assert (answer.status_code, answer.json().get("code")) == (503, "deadline"), path
