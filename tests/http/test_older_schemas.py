"""A data directory of every schema that ever landed opens with this program: all rows are there, and
the schema is the one of a new database to the letter.  See tests/migrations."""

import glob
import hashlib
import os
import re
import shutil
import sqlite3
import subprocess
from contextlib import closing

import pytest

import harness

LANDED = os.path.join(harness.ROOT, "tests/migrations")
PRESENT = os.path.join(harness.ROOT, "worker/store/migrations")
# What an earlier text asked for and the present one does not, from the present row.
EARLIER_COLUMNS = {("session", "created_at"): "used_at", ("idempotency", "request_hash"): "zeroblob(32)"}
# What cannot come back: the earlier text of a migration did not have it.
NEW_COLUMNS = {("session_used_refresh", "used_at"), ("session_used_refresh", "expires_at"),
               ("event_type", "first_player_id"), ("report", "place")}


def landed():
    with open(os.path.join(LANDED, "landed"), encoding="ascii") as f:
        return [line.strip() for line in f]


def text_of(token):
    """(file name when it ran, text) of `4` or `4-1e74cf26`."""
    number, _, digest = token.partition("-")
    (path,) = glob.glob(os.path.join(LANDED if digest else PRESENT,
                                     f"{int(number):04}_*{digest and '-' + digest}.sql"))
    with open(path, encoding="utf-8") as f:
        text = f.read()
    assert hashlib.sha256(text.encode()).hexdigest().startswith(digest)
    return os.path.basename(path).replace(f"-{digest}", ""), text


def made_since(schema):
    """Tables and (table, column)s of the migrations that the schema does not have."""
    made_tables, made_columns = set(), set()
    for path in sorted(glob.glob(os.path.join(PRESENT, "*.sql")))[len(schema.split()):]:
        with open(path, encoding="utf-8") as f:
            text = f.read()
        made_tables.update(re.findall(r"(?m)^CREATE TABLE (\w+)", text))
        made_columns.update(re.findall(r"(?m)^ALTER TABLE (\w+) ADD COLUMN (\w+)", text))
    return made_tables, made_columns


def tables(db):
    return [name for name, in db.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'")]


def columns(db, table, schema="main"):
    return [row[1] for row in db.execute(f"PRAGMA {schema}.table_info({table})")]


def definitions(db):
    return sorted(db.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema"), key=str)


def make_older(schema, source, target):
    """A database of that schema with the rows of the present one."""
    with closing(sqlite3.connect(target)) as db:
        db.execute("ATTACH ? AS present", (source,))
        digests = []
        for number, token in enumerate(schema.split(), 1):
            name, text = text_of(token)
            db.executescript(text)
            digests.append((number, name, hashlib.sha256(text.encode()).hexdigest()))
        for table in tables(db):
            if table == "migration":
                continue
            known = columns(db, table, "present")
            values = {column: column if column in known else EARLIER_COLUMNS[table, column]
                      for column in columns(db, table)}
            db.execute(f"DELETE FROM {table}")  # what a migration puts there itself
            db.execute(f"INSERT INTO {table} ({', '.join(values)}) SELECT {', '.join(values.values())} "
                       f"FROM present.{table}")
        db.executemany("INSERT INTO migration VALUES (?, ?, ?, 1)", digests)
        db.execute(f"PRAGMA user_version = {len(digests)}")
        db.commit()


def rows_of(db, table, wanted):
    return sorted(db.execute(f"SELECT {', '.join(wanted)} FROM {table}"), key=str)


class Kept:
    def __init__(self):
        self.server = server = harness.Server()
        self.tree = os.path.join(server.base, "kept")
        try:
            server.start()
            server.import_csv("sales", b"id,city\n1,Rome\n")
            server.import_csv("sales", b"id,city\n1,Rome\n2,Oslo\n")
            ann, bob = server.player("ann"), server.player("bob")
            for player in (ann, bob):
                for number in range(3):
                    assert player.post("/v1/earn", json={"amount": 5, "reason": "quest"},
                                       headers={"Idempotency-Key": f"k-{number}"}).ok
                assert player.post("/v1/events", json=[{"event_type": "level_up", "event_id": "a"},
                                                       {"event_type": "level_up"}]).ok
            assert ann.post("/v1/spend", json={"amount": 4, "reason": "hat"}).ok
            answer = server.post("/v1/refresh", key=None, json={"refresh_token": ann.refresh_token})
            self.refresh_token = answer.json()["refresh_token"]
            assert bob.delete("/v1/me").ok
            assert server.post("/v1/login", key=None,
                               json={"username": "ann", "password": "wrong password"}).status_code == 401
            server.import_csv("sessions", b"event_timestamp_utc,user_id,event_name\n"
                                          b"2025-10-20T08:00:00Z,u1,open\n")
            assert server.wait_job(server.post("/v1/reports/runs").json())["state"] == "succeeded"
            server.stop()
        except BaseException:
            server.close()
            raise
        subprocess.run(["cp", "-a", server.data, self.tree], check=True, timeout=60)

    def become(self, schema):
        server = self.server
        shutil.rmtree(server.data)
        subprocess.run(["cp", "-a", self.tree, server.data], check=True, timeout=60)
        db = os.path.join(server.data, "playmeter.db")
        owner = os.stat(db)
        os.unlink(db)
        make_older(schema, os.path.join(self.tree, "playmeter.db"), db)
        os.chown(db, owner.st_uid, owner.st_gid)
        os.chmod(db, 0o600)
        # There was neither then.
        os.unlink(os.path.join(server.data, "state"))
        for path in glob.glob(os.path.join(server.data, "datasets/*/*/version.json")):
            os.unlink(path)
        return server


@pytest.fixture(scope="module")
def kept():
    kept = Kept()
    yield kept
    kept.server.close()


def check_rows(kept, db, schema):
    made_tables, made_columns = made_since(schema)
    with closing(sqlite3.connect(os.path.join(kept.tree, "playmeter.db"))) as present:
        assert definitions(db) == definitions(present)
        assert not db.execute("PRAGMA foreign_key_check").fetchall()
        for table in tables(present):
            if table in {"migration", "data_directory", *made_tables}:
                continue
            wanted = [c for c in columns(present, table)
                      if (table, c) not in NEW_COLUMNS | made_columns]
            assert rows_of(db, table, wanted) == rows_of(present, table, wanted), table
        assert db.execute("SELECT number, name, sha256 FROM migration ORDER BY number").fetchall() == \
            present.execute("SELECT number, name, sha256 FROM migration ORDER BY number").fetchall()
        sequences = "SELECT name, seq FROM sqlite_sequence ORDER BY name"
        assert db.execute(sequences).fetchall() == present.execute(sequences).fetchall()


def with_players(schema):
    return " 4" in schema


@pytest.mark.parametrize("schema", landed())
def test_a_data_directory_of_each_schema_opens(kept, schema):
    server = kept.become(schema)
    done = subprocess.run([harness.binary(), "migrate", "--config", server.config, "--data", server.data],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done
    if with_players(schema):
        with server.database() as db:
            check_rows(kept, db, schema)
    server.start()
    try:
        rows = server.get("/v1/datasets/sales/rows").json()
        assert [row["city"] for row in rows["data"]] == ["Rome", "Oslo"]
        assert rows["meta"] == {"total": 2, "version": 2}
        assert len(glob.glob(os.path.join(server.data, "datasets/*/*/version.json"))) == 3
        assert server.post("/v1/datasets/sales/rollback").json()["version"] == 1
        if with_players(schema):
            check_players(kept, server)
    finally:
        server.stop()


def check_players(kept, server):
    answer = server.post("/v1/refresh", key=None, json={"refresh_token": kept.refresh_token})
    assert answer.status_code == 200, answer.text
    ann = server.player("ann")
    assert ann.get("/v1/balance").json()["balance"] == 11
    again = ann.post("/v1/earn", json={"amount": 5, "reason": "quest"}, headers={"Idempotency-Key": "k-1"})
    assert again.ok and ann.get("/v1/balance").json()["balance"] == 11
    assert ann.post("/v1/earn", json={"amount": 1, "reason": "more"}).json()["balance"] == 12
    assert len(ann.get("/v1/events?event_type=level_up").json()["data"]) == 2
    assert len(server.get("/v1/reports/runs").json()["data"]) == 1
    done = subprocess.run([harness.binary(), "verify-ledger", "--config", server.config,
                           "--data", server.data], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done


def test_a_schema_that_nobody_knows_is_refused_and_left_as_it_is(kept):
    server = kept.become("1 2 3 4-77180108 5-1498baff")
    path = os.path.join(server.data, "playmeter.db")
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE mine (note TEXT)")
        db.commit()
        before = definitions(db)
    done = subprocess.run([harness.binary(), "migrate", "--config", server.config, "--data", server.data],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "nothing was changed" in done.stderr, done
    with closing(sqlite3.connect(path)) as db:
        assert definitions(db) == before
