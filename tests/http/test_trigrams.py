"""Long text is searched through the trigrams file: the answers are those of a look at every row,
with the file, without it, and with one that is damaged."""

import csv
import glob
import io
import os
import subprocess

import pytest

import harness
import oracle

ROWS = 12000
WORDS = ["dragon", "Dragons", "the", "The", "of", "a", "straße", "STRASSE", "É", "é", "日本語", "Ⱥ",
         "quest", "quests", "100%", "_x_", "Кот", "КОТА", "und", "roguelike", "city-builder"]


@pytest.fixture(scope="module")
def texts():
    """A few megabytes: more than is left to the scan."""
    rng = harness.Dice("texts")
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


def check(server, folded, dice, rounds):
    tests = {"contains": lambda text, word: word in text,
             "notcontains": lambda text, word: word not in text,
             "startswith": str.startswith,
             "endswith": str.endswith}
    for _ in range(dice.rounds(rounds)):
        text = dice.choice(folded) or "dragon"
        start = dice.randrange(len(text))
        needle = dice.choice([text[start:start + dice.choice([1, 2, 3, 4, 7, 30])], "dragonx",
                             text[:dice.randrange(1, 12)], text[-dice.randrange(1, 12):]])
        op = dice.choice(list(tests) + ["q"])
        words = needle.split() if op == "q" else [needle]
        if not words:
            continue
        expected = sum(all(tests.get(op, tests["contains"])(text, word) for word in words)
                       for text in folded)
        dice.reach("scanned", len(needle.encode()) < 3)
        dice.reach("looked up", len(needle.encode()) >= 3)
        dice.reach("none", expected == 0)
        dice.reach("all", expected == len(folded))
        for one in [*tests, "q"]:
            dice.reach(one, op == one and 0 < expected < len(folded))
        name = "q" if op == "q" else f"about__{op}"
        shown = needle.upper() if oracle.fold(needle.upper()) == needle else needle
        answer = server.get("/v1/datasets/books/rows", params={name: shown, "limit": 1})
        assert answer.status_code == 200, answer.text
        assert answer.json()["meta"]["total"] == expected, (name, shown, str(dice))


def test_answers_are_the_same_with_without_and_with_damaged_trigrams(server, texts, dice):
    folded = [oracle.fold(text) for text in texts]
    path = index_file(server)
    check(server, folded, dice, 120)
    with open(path, "r+b") as f:
        f.write(b"not this")
    server.restart()
    check(server, folded, dice, 60)
    os.unlink(path)
    server.restart()
    check(server, folded, dice, 60)


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


def test_reindex_brings_back_what_was_deleted_or_damaged(server, texts, dice):
    folded = [oracle.fold(text) for text in texts]
    folder = os.path.dirname(index_file(server, "columns"))
    for damage in ("deleted", "damaged"):
        server.stop()
        spoil(folder, damage)
        result = reindex(server)
        assert result.returncode == 0, result.stderr
        assert f"version 1: {ROWS} rows indexed" in result.stdout
        assert sorted(os.listdir(folder)) == ["columns", "rows.db", "trigrams", "version.json"]
        before = server.log().count("files_damaged")
        server.start()
        check(server, folded, dice, 40)
        assert server.log().count("files_damaged") == before
        # Beside a service, whose workers have the files open.
        spoil(folder, damage)
        result = reindex(server)
        assert result.returncode == 0, result.stderr
        check(server, folded, dice, 40)
    unknown = reindex(server, "bokks")
    assert unknown.returncode == 1 and "not_found" in unknown.stderr, unknown.stderr
