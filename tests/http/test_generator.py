"""The generated catalogue has the properties that make it worth testing with."""

import csv
import io
import os
import subprocess

import harness


def generate(*arguments):
    return subprocess.run([os.path.join(harness.ROOT, "scripts/make-games-csv"), *arguments],
                          stdout=subprocess.PIPE, check=True, timeout=60).stdout


def test_the_same_arguments_give_the_same_bytes():
    assert generate("200") == generate("200")
    assert generate("200") != generate("200", "--seed", "2")


def test_a_size_is_filled_with_whole_rows():
    data = generate("500KiB")
    assert 500 * 1024 - 16 * 1024 < len(data) <= 500 * 1024
    assert data.endswith(b"\n")
    assert all(len(row) == 20 for row in csv.reader(io.StringIO(data.decode(), newline="")))


def test_rows_hold_what_importers_stumble_over():
    text = generate("3000").decode()
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    column = {name: [row[i] for row in rows] for i, name in enumerate(header)}
    assert header[0] == "" and len(rows) == 3000
    ids = [int(value) for value in column["AppID"]]
    assert len(set(ids)) == len(ids) and ids != sorted(ids)
    assert any("\n" in value for value in column["About the game"])
    assert any('"' in value for value in column["About the game"])
    assert any("," not in value for value in column["Release date"])  # month only
    assert any(not value.isascii() for value in column["Name"])
    assert any(", Inc." in value or "CO., LTD." in value for value in column["Publishers"])
    assert "" in column["Score rank"] and "" in column["Tags"]
    assert 1200 < sum(map(len, column["About the game"])) / len(rows) < 1600
    assert sum("dragon" in value.lower() for value in column["About the game"]) > 100
