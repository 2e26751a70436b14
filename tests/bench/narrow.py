"""A file of many narrow rows: 5,000,000 of five columns, 177 MB.  Where the catalogue's cost is its
long texts, here it is that of the rows and cells themselves."""

import os
import random

import peers
import questions
from probe import (BUILD, PeakMemory, harness, import_seconds, upload, version_bytes,
                   wait_quietly)

ROWS = 5_000_000
BASE = "/v1/datasets/narrow/"
IMPORT = "narrow import, s"
KEYED = "narrow import with a key, s"
KEYED_IMPORTS = "keyed/imports?key=id"
KEYED_MEMORY = "narrow import with a key, peak memory, MB"
FILES = "narrow: files of a version, MB"
GROUPS = "narrow: groups with count and mean, engine ms"
FACETS = "narrow: facet of 1,000 values, engine ms"
HISTOGRAM = "narrow: histogram, engine ms"

# The columns' names are their headers.
QUESTIONS = [
    questions.Question(
        GROUPS, BASE + "groups?by=word&aggregate=count,mean(amount)&limit=1000",
        lambda a: [[g["word"], g["count"], g["mean(amount)"]] for g in a["data"]],
        {"DuckDB": "SELECT word, count(*), avg(amount) FROM narrow GROUP BY word ORDER BY word"}),
    questions.Question(
        FACETS, BASE + "facets?column=word&limit=10",
        lambda a: [v["count"] for v in a["data"]["word"]["values"]],
        {"DuckDB": "SELECT count(*) AS n FROM narrow GROUP BY word ORDER BY n DESC LIMIT 10"}),
    questions.Question(
        HISTOGRAM, BASE + "histogram?column=level&bins=20", lambda a: [b["count"] for b in a["data"]],
        # Levels are 0 to 1,000, so that the edges are whole; the last bin holds the upper one too.
        {"DuckDB": "SELECT count(*) FROM narrow GROUP BY least(level // 50, 19) "
                   "ORDER BY least(level // 50, 19)"}),
]


def narrow_file():
    path = os.path.join(BUILD, f"narrow-{ROWS}.csv")
    if not os.path.exists(path):
        rng = random.Random(1)
        with open(path + ".new", "w", encoding="ascii") as f:
            f.write("id,at,word,level,amount\n")
            for i in range(ROWS):
                # Both ends of the histogram are there.
                level = 1000 * i if i < 2 else int(1001 * rng.random())
                f.write(f"{i + 1},2025-{i % 12 + 1:02}-{i % 28 + 1:02},w{int(1000 * rng.random()):03},"
                        f"{level},{int(10_000_000 * rng.random()) / 100:.2f}\n")
        os.rename(path + ".new", path)
    return path


def import_by_duckdb(duckdb, path, database):
    """Milliseconds of a table on disk, checkpoint included."""
    for end in ("", ".wal"):
        if os.path.exists(database + end):
            os.unlink(database + end)
    duckdb.ask(f"ATTACH '{database}' AS disk", None)
    milliseconds = duckdb.ask(f"CREATE TABLE disk.narrow AS SELECT * FROM read_csv('{path}')", None)[0]
    milliseconds += duckdb.ask("CHECKPOINT disk", None)[0]
    duckdb.ask("DETACH disk", None)
    return milliseconds


def measure_imports(server, path, duckdb, results):
    plain = import_seconds(wait_quietly(server, upload(server, path, "narrow/imports")[0]))
    results.add(IMPORT, plain)
    results.add(IMPORT, peers.import_by_shell(path, os.path.join(server.base, "peer.db")),
                "sqlite3 shell")
    if duckdb:
        results.add(IMPORT, import_by_duckdb(duckdb, path, os.path.join(server.base, "peer.duckdb"))
                    / 1000, "DuckDB")
    keyed = import_seconds(wait_quietly(server, upload(server, path, KEYED_IMPORTS)[0]))
    results.add(KEYED, keyed)
    results.add(KEYED, plain, "the same without")


def run(rounds, results):
    """What stood beside it, with versions."""
    path = narrow_file()
    server = harness.Server({"imports.file_bytes_max": str(os.path.getsize(path))},
                            query_workers=2).start()
    duckdb, about = None, []
    try:
        try:
            duckdb = peers.DuckDB()
            about.append(duckdb.about)
        except LookupError as e:
            peers.tell_skipped(e)
        for i in range(rounds):
            measure_imports(server, path, duckdb, results)
            if i == 0:
                results.add(FILES, version_bytes(server) / 1e6)
                results.add(FILES, os.path.getsize(path) / 1e6, "the CSV")
        memory = PeakMemory(server)
        memory.start()
        wait_quietly(server, upload(server, path, KEYED_IMPORTS)[0])
        results.add(KEYED_MEMORY, memory.stop() / 1e6)
        by_name = {}
        if duckdb:
            duckdb.ask(f"CREATE TABLE narrow AS SELECT * FROM read_csv('{path}')", None)
            by_name["DuckDB"] = duckdb
        questions.check(server, QUESTIONS, by_name, [("", "")])
        for _ in range(rounds):
            questions.measure(server, QUESTIONS, by_name, [("", "")] * questions.ASKED, 0, results)
    finally:
        if duckdb:
            duckdb.close()
        server.close()
    return about
