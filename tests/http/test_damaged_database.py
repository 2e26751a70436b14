"""A playmeter.db that is no whole database: refused by name, and the log beside it, which may be the only
copy of what was acknowledged last, is as it was."""

import os
import shutil
import subprocess

import pytest

import harness

COMMANDS = ("serve", "migrate", "verify-ledger", "reindex", "adopt", "import")


def read(path):
    with open(path, "rb") as f:
        return f.read()


def spoil(path, how):
    if how == "cut":
        os.truncate(path, os.path.getsize(path) // 2 // 4096 * 4096)
    elif how == "a page":
        os.truncate(path, 4096)
    elif how == "a line":
        os.truncate(path, 100)
    else:
        with open(path, "r+b") as f:
            f.write(b"\x5a" * 7000)


@pytest.mark.parametrize("how", ["cut", "a page", "a line", "garbage"])
def test_a_damaged_database_costs_nothing_of_its_log(own_server, tmp_path, how):
    server, source = own_server, tmp_path / "x.csv"
    source.write_bytes(b"id\n1\n")
    server.stop()
    server.start()  # with an empty log
    player = server.player("zed")
    for _ in range(20):
        assert player.post("/v1/earn", json={"amount": 1}).status_code == 200
    server.reap()
    database = os.path.join(server.data, "playmeter.db")
    log, whole = database + "-wal", database + ".whole"
    shutil.copy2(database, whole)
    owner = os.stat(database)
    os.chown(whole, owner.st_uid, owner.st_gid)
    before = read(log)
    spoil(database, how)
    for name in COMMANDS:
        more = {"import": [source, "--dataset", "x"], "reindex": ["--dataset", "x"]}.get(name, [])
        done = subprocess.run([harness.binary(), name, "--config", server.config, "--data", server.data,
                               *more], capture_output=True, text=True, timeout=60)
        assert done.returncode not in (0, -6, -11), (name, done)
        assert "playmeter.db" in done.stdout + done.stderr, (name, done)
        assert "PRAGMA" not in done.stdout + done.stderr, (name, done)
        assert read(log) == before, name
    os.replace(whole, database)
    server.start()
    assert server.player("zed").get("/v1/balance").json()["balance"] == 20
    assert server.post("/v1/login", key=None, json={"username": "zed", "password": "correct horse"}).ok
