"""Long text is searched through the trigrams file: the answers are those of a look at every row,
with the file, without it, and with one that is damaged."""

import csv
import glob
import io
import os
import random
import subprocess

import pytest

import harness
import oracle

SEED = int(os.environ.get("PLAYMETER_SEED", "20260131"))
ROWS = 12000
WORDS = ["dragon", "Dragons", "the", "The", "of", "a", "straße", "STRASSE", "É", "é", "日本語", "Ⱥ",
         "quest", "quests", "100%", "_x_", "Кот", "КОТА", "und", "roguelike", "city-builder"]


@pytest.fixture(scope="module")
def texts():
    """A few megabytes: more than is left to the scan."""
    rng = random.Random(SEED)
    return [" ".join(rng.choices(WORDS, k=rng.randrange(150))) for _ in range(ROWS)]


@pytest.fixture(scope="module")
def server(texts):
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["id", "about"])
    writer.writerows(enumerate(texts))
    server = harness.Server(query_workers=1)
    try:
        server.start()
        server.import_csv("books", out.getvalue().encode())
        yield server
    finally:
        server.close()


def index_file(server, name="trigrams"):
    paths = glob.glob(os.path.join(server.data, "datasets", "*", "*", name))
    assert len(paths) == 1, paths
    return paths[0]


def check(server, folded, rounds):
    rng = random.Random(SEED + rounds)
    tests = {"contains": lambda text, word: word in text,
             "notcontains": lambda text, word: word not in text,
             "startswith": str.startswith,
             "endswith": str.endswith}
    for _ in range(rounds):
        text = rng.choice(folded) or "dragon"
        start = rng.randrange(len(text))
        needle = rng.choice([text[start:start + rng.choice([1, 2, 3, 4, 7, 30])], "dragonx",
                             text[:rng.randrange(1, 12)], text[-rng.randrange(1, 12):]])
        op = rng.choice(list(tests) + ["q"])
        words = needle.split() if op == "q" else [needle]
        if not words:
            continue
        expected = sum(all(tests.get(op, tests["contains"])(text, word) for word in words)
                       for text in folded)
        name = "q" if op == "q" else f"about__{op}"
        shown = needle.upper() if oracle.fold(needle.upper()) == needle else needle
        answer = server.get("/v1/datasets/books/rows", params={name: shown, "limit": 1})
        assert answer.status_code == 200, answer.text
        assert answer.json()["meta"]["total"] == expected, (name, shown)


def test_answers_are_the_same_with_without_and_with_damaged_trigrams(server, texts):
    folded = [oracle.fold(text) for text in texts]
    path = index_file(server)
    check(server, folded, 120)
    with open(path, "r+b") as f:
        f.write(b"not this")
    server.restart()
    check(server, folded, 60)
    os.unlink(path)
    server.restart()
    check(server, folded, 60)


def reindex(server, dataset="books"):
    return subprocess.run([harness.binary(), "reindex", "--dataset", dataset, "--data", server.data,
                           "--config", server.config], capture_output=True, text=True, timeout=60)


def spoil(folder, damage):
    for name in ("columns", "trigrams"):
        path = os.path.join(folder, name)
        if damage == "damaged":
            with open(path, "r+b") as f:
                f.write(b"not this")
        else:
            os.unlink(path)


def test_reindex_brings_back_what_was_deleted_or_damaged(server, texts):
    folded = [oracle.fold(text) for text in texts]
    folder = os.path.dirname(index_file(server, "columns"))
    for damage in ("deleted", "damaged"):
        server.stop()
        spoil(folder, damage)
        result = reindex(server)
        assert result.returncode == 0, result.stderr
        assert f"version 1: {ROWS} rows indexed" in result.stdout
        assert sorted(os.listdir(folder)) == ["columns", "rows.db", "trigrams"]
        before = server.log().count("files_damaged")
        server.start()
        check(server, folded, 40)
        assert server.log().count("files_damaged") == before
        # Beside a service, whose workers have the files open.
        spoil(folder, damage)
        result = reindex(server)
        assert result.returncode == 0, result.stderr
        check(server, folded, 40)
    unknown = reindex(server, "bokks")
    assert unknown.returncode == 1 and "not_found" in unknown.stderr, unknown.stderr
