"""A playmeter.db that is not the one of its data directory: the start refuses and says what to do, no
file is touched, and `playmeter adopt` makes both usable again."""

import hashlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import uuid
from contextlib import closing

import pytest

import harness

SALES = [b"id,city\n1,Rome\n", b"id,city\n1,Rome\n2,Oslo\n", b"id,city\n7,Bonn\n"]
OTHER = b"id,price\n1,2.5\n2,3.5\n3,\n"


def command(server, name, *more):
    return subprocess.run([harness.binary(), name, "--config", server.config, "--data", server.data,
                           *more], capture_output=True, text=True, timeout=60)


def adopt(server):
    done = command(server, "adopt")
    assert done.returncode == 0, done
    return done.stdout


def copy_tree(source, target):
    shutil.rmtree(target, ignore_errors=True)
    subprocess.run(["cp", "-a", source, target], check=True, timeout=60)


def path(server, *names):
    return os.path.join(server.data, *names)


def files(server, *tops):
    """Of datasets/ (and more), name -> content, but for version.json, which adoption writes anew."""
    found = {}
    for top in ("datasets", *tops):
        for folder, _, names in os.walk(path(server, top)):
            for name in names:
                with open(os.path.join(folder, name), "rb") as f:
                    found[os.path.relpath(os.path.join(folder, name), server.data)] = f.read()
    return found


def folders(server):
    root = path(server, "datasets")
    return {job: os.path.join(root, dataset, job) for dataset in os.listdir(root)
            for job in os.listdir(os.path.join(root, dataset))}


def read_version(folder):
    with open(os.path.join(folder, "version.json"), encoding="utf-8") as f:
        return json.load(f)


def write_version(folder, content):
    """Whole, as the service would have written it."""
    text = json.dumps({key: value for key, value in content.items() if key != "sha256"})[:-1]
    digest = hashlib.sha256(text.encode()).hexdigest()
    with open(os.path.join(folder, "version.json"), "w", encoding="utf-8") as f:
        f.write(f'{text},"sha256":"{digest}"}}')


def state(server):
    with open(path(server, "state"), encoding="utf-8") as f:
        return json.load(f)


def answers(server):
    """All that is asked of datasets, without what belongs to the request."""
    found = {}
    for name in ("sales", "other"):
        for what in ("", "/rows", "/versions", "/stats"):
            answer = server.get(f"/v1/datasets/{name}{what}")
            assert answer.status_code == 200, answer.text
            found[name + what] = answer.json()
    found["jobs"] = {job["id"]: (job["state"], job["dataset"], job["result"])
                     for job in server.get("/v1/jobs?kind=import").json()["data"]}
    for name in ("sales", "other"):
        found[name].pop("updated_at")
        found[name].pop("created_at")
        for version in found[name + "/versions"]["data"]:
            version.pop("checked_at")  # at each start
    return found


def refused(server, *words):
    """The service does not start, says why, and changes nothing."""
    before = files(server, "spool", "reports"), os.path.exists(path(server, "state"))
    known = len(server.log())
    with pytest.raises(AssertionError, match="the service did not start"):
        server.start()
    told = server.log()[known:]
    assert '"event":"wrong_database"' in told, told
    assert f"playmeter adopt --data {server.data}" in told
    for word in words:
        assert word in told, told
    assert (files(server, "spool", "reports"), os.path.exists(path(server, "state"))) == before
    for other in ("migrate", "import"):
        more = [server.config, "--dataset", "late"] if other == "import" else []
        done = command(server, other, *more)
        assert done.returncode == 1 and "playmeter adopt" in done.stderr, done
    assert (files(server, "spool", "reports"), os.path.exists(path(server, "state"))) == before


class Kept:
    """A data directory with two datasets and a player, its answers, and an older database of it."""

    def __init__(self):
        self.server = harness.Server()
        self.server.start()
        try:
            self.server.import_csv("sales", SALES[0], label="first")
            self.server.player("ann").post("/v1/earn", json={"amount": 5, "reason": "quest"})
            self.server.stop()
            self.older = self.keep_database("older.db")
            self.server.start()
            self.server.import_csv("sales", SALES[1], label="second")
            self.server.import_csv("other", OTHER, key="id")
            self.server.import_csv("sales", SALES[2], label="third")
            self.answers = answers(self.server)
            self.server.stop()
        except BaseException:
            self.server.close()
            raise
        self.tree = os.path.join(self.server.base, "kept")
        copy_tree(self.server.data, self.tree)

    def keep_database(self, name):
        kept = os.path.join(self.server.base, name)
        shutil.copy2(path(self.server, "playmeter.db"), kept)
        os.chown(kept, os.stat(self.server.data).st_uid, os.stat(self.server.data).st_gid)
        return kept


@pytest.fixture(scope="module")
def kept():
    kept = Kept()
    yield kept
    kept.server.close()


@pytest.fixture
def server(kept):
    copy_tree(kept.tree, kept.server.data)
    yield kept.server
    if kept.server.process:
        kept.server.stop()


def put_database(server, source):
    """As `cp -a` does it: with its owner."""
    subprocess.run(["cp", "-a", source, path(server, "playmeter.db")], check=True, timeout=60)


def remove_database(server, _):
    os.unlink(path(server, "playmeter.db"))


def empty_database(server, _):
    os.truncate(path(server, "playmeter.db"), 0)


def restore_older(server, kept):
    put_database(server, kept.older)


def lose_log(server, _):
    """Everything since the first page was in the log."""
    server.start()
    server.import_csv("sales", SALES[0])
    server.reap()
    assert os.path.getsize(path(server, "playmeter.db-wal")) > 0
    os.unlink(path(server, "playmeter.db-wal"))


def put_foreign(server, _):
    """Of a data directory with a dataset of the same number and another name."""
    foreign = harness.Server()
    try:
        foreign.start()
        foreign.import_csv("alien", b"id\n1\n")
        foreign.stop()
        put_database(server, path(foreign, "playmeter.db"))
    finally:
        foreign.close()


WRONG = {
    "missing": (remove_database, "is missing"),
    "empty": (empty_database, "is empty"),
    "older": (restore_older, "is older than the files beside it"),
    "foreign": (put_foreign, "belongs to data directory"),
}


@pytest.mark.parametrize("how", WRONG)
@pytest.mark.parametrize("has_state", [True, False])
def test_a_wrong_database_is_refused_and_the_versions_are_adopted(server, kept, how, has_state):
    spoil, words = WRONG[how]
    spoil(server, kept)
    if not has_state:
        os.unlink(path(server, "state"))
        words = {"foreign": "does not know of datasets/"}.get(how, words)
    refused(server, words)
    before = sorted(folders(server)), {os.path.basename(os.path.dirname(name)) + name[-8:]: content
                                       for name, content in files(server).items()
                                       if not name.endswith("version.json")}
    told = adopt(server)
    assert sorted(folders(server)) == before[0]
    after = {os.path.basename(os.path.dirname(name)) + name[-8:]: content
             for name, content in files(server).items() if not name.endswith("version.json")}
    assert after == before[1]
    assert [line for line in told.splitlines() if line.startswith("sales: adopted version")], told
    assert "sales" in told and "version 3 is current" in told
    assert ("players" in told) == (how in ("missing", "empty"))
    assert "nothing to adopt" in adopt(server)
    server.start()
    found = answers(server)
    if how == "foreign":
        found["jobs"] = {id: job for id, job in found["jobs"].items() if job[1] != "alien"}
        assert server.get("/v1/datasets/alien/rows").status_code == 404
    assert found == kept.answers
    assert "warning" not in server.get("/readyz").json()
    # And it goes on from there.
    server.import_csv("sales", SALES[0])
    assert server.get("/v1/datasets/sales/versions").json()["data"][0]["version"] == 4
    server.restart()
    assert server.get("/v1/datasets/sales/rows").json()["meta"] == {"total": 1, "version": 4}


def test_the_right_database_is_taken_back_after_a_refusal(server, kept):
    os.rename(path(server, "playmeter.db"), path(server, "aside"))
    refused(server, "is missing")
    os.rename(path(server, "aside"), path(server, "playmeter.db"))
    server.start()
    assert answers(server) == kept.answers
    server.stop()


def test_the_right_database_is_refused_after_another_was_made_to_fit(server):
    """Both have had their own changes since."""
    shutil.copy2(path(server, "playmeter.db"), path(server, "aside"))
    os.unlink(path(server, "playmeter.db"))
    adopt(server)
    os.rename(path(server, "aside"), path(server, "playmeter.db"))
    uid = os.stat(server.data)
    os.chown(path(server, "playmeter.db"), uid.st_uid, uid.st_gid)
    refused(server, "belongs to data directory")
    adopt(server)
    server.start()
    assert server.get("/v1/datasets/sales/rows").json()["meta"]["version"] == 3


@pytest.mark.crash
def test_a_lost_log_is_found_out(server):
    lose_log(server, None)
    refused(server, "is older than the files beside it")
    adopt(server)
    server.start()
    assert server.get("/v1/datasets/sales/rows").json()["meta"] == {"total": 1, "version": 4}


@pytest.mark.crash
def test_a_database_of_which_only_the_log_was_there_is_found_out():
    server = harness.Server()
    try:
        server.start()
        server.import_csv("sales", SALES[1])
        server.reap()
        os.unlink(path(server, "playmeter.db-wal"))
        refused(server, "playmeter.db")
        assert "sales: adopted version 1; version 1 is current" in adopt(server)
        server.start()
        assert server.get("/v1/datasets/sales/rows").json()["meta"] == {"total": 2, "version": 1}
    finally:
        server.close()


@pytest.mark.crash
def test_a_log_whose_database_is_gone_is_kept(server):
    server.start()
    server.import_csv("sales", SALES[0])
    server.reap()
    os.unlink(path(server, "playmeter.db"))
    with open(path(server, "playmeter.db-wal"), "rb") as f:
        log = f.read()
    refused(server, "is missing")
    assert "a log that is not this database's is kept as" in adopt(server)
    (aside,) = [n for n in os.listdir(server.data) if n.startswith("playmeter.db-wal.")]
    with open(path(server, aside), "rb") as f:
        assert f.read() == log


@pytest.mark.crash
def test_a_restored_database_is_left_alone_by_a_log_that_is_not_its_own(server, kept):
    """SQLite shows a mixture of the two, and at its close would write it."""
    server.start()
    for _ in range(5):
        server.import_csv("other", OTHER, key="id")
    server.reap()
    put_database(server, kept.older)
    before = log_and_database(server)
    refused(server, "older copy than its log")
    assert log_and_database(server) == before
    assert "a log that is not this database's is kept as" in adopt(server)
    server.start()
    assert server.get("/v1/datasets/other/rows").json()["meta"] == {"total": 3, "version": 6}


def log_and_database(server):
    found = []
    for name in ("playmeter.db", "playmeter.db-wal"):
        with open(path(server, name), "rb") as f:
            found.append(f.read())
    return found


@pytest.mark.crash
def test_a_database_that_is_put_back_while_the_service_runs_is_not_mixed_with_the_log(server):
    """No version tells of it: only the log knows that it goes with a later file."""
    shutil.copy2(path(server, "playmeter.db"), path(server, "aside"))
    server.start()
    ann = server.player("ann")
    for _ in range(5):
        events = [{"name": "tick", "id": str(uuid.uuid4())} for _ in range(150)]
        assert ann.post("/v1/events", json={"events": events}).status_code == 200
    server.restart()
    server.player("ben").post("/v1/earn", json={"amount": 5, "reason": "quest"})
    known = len(server.log())
    subprocess.run(["cp", path(server, "aside"), path(server, "playmeter.db")], check=True, timeout=60)
    before = log_and_database(server)
    server.kill("writer", signal.SIGKILL)
    server.wait_for(lambda: "older copy than its log" in server.log()[known:])
    server.reap()
    assert log_and_database(server) == before and "writer_ready" not in server.log()[known:]


def test_a_missing_state_is_made_again_beside_the_database_that_fits(server, kept):
    was = state(server)
    os.unlink(path(server, "state"))
    server.start()
    assert state(server) == was and answers(server) == kept.answers


def test_a_state_that_cannot_be_read_is_refused_until_it_is_made_again(server, kept):
    with open(path(server, "state"), "w", encoding="utf-8") as f:
        f.write("{")
    refused(server, "cannot be told")
    adopt(server)
    server.start()
    assert answers(server) == kept.answers


def test_a_state_that_cannot_be_written_fails_no_publication(server):
    server.start()
    os.unlink(path(server, "state"))
    os.mkdir(path(server, "state"))
    server.import_csv("sales", SALES[0])
    server.wait_for(lambda: "commit_not_followed" in server.log())
    os.rmdir(path(server, "state"))
    server.restart()
    assert state(server)["catalogue_seq"] == 5
    assert server.get("/v1/datasets/sales/rows").json()["meta"] == {"total": 1, "version": 4}


def test_a_lost_rollback_is_found_out(server):
    server.start()
    server.stop()
    shutil.copy2(path(server, "playmeter.db"), path(server, "aside"))
    server.start()
    assert server.post("/v1/datasets/sales/rollback").json()["version"] == 2
    server.stop()
    os.replace(path(server, "aside"), path(server, "playmeter.db"))
    owner = os.stat(server.data)
    os.chown(path(server, "playmeter.db"), owner.st_uid, owner.st_gid)
    refused(server, "is older than the files beside it")


def test_players_without_datasets_are_not_begun_anew():
    server = harness.Server()
    try:
        server.start()
        server.player("ann").post("/v1/earn", json={"amount": 5, "reason": "quest"})
        server.stop()
        os.unlink(path(server, "playmeter.db"))
        refused(server, "is missing", "the file state of a database")
    finally:
        server.close()


def test_folders_that_cannot_be_adopted_are_named_and_left_alone(server):
    job_of = {}
    for job, folder in folders(server).items():
        content = read_version(folder)
        job_of[content["dataset"], content["version"]] = job, folder, content
    os.unlink(path(server, "playmeter.db"))
    cut, cut_folder, _ = job_of["sales", 3]
    os.truncate(os.path.join(cut_folder, "version.json"), 100)
    strange, strange_folder, content = job_of["sales", 2]
    write_version(strange_folder, {**content, "job": cut})
    empty, empty_folder, _ = job_of["other", 1]
    os.truncate(os.path.join(empty_folder, "rows.db"), 0)
    before = files(server)
    told = adopt(server)
    for job, why in ((cut, "version.json"), (strange, "another folder's"), (empty, "rows.db is gone")):
        (line,) = [line for line in told.splitlines() if job in line]
        assert "is left alone" in line and why in line
    assert "sales: adopted version 1; version 1 is current" in told
    left = files(server)
    assert {name: content for name, content in left.items() if job_of["sales", 1][0] not in name} == \
        {name: content for name, content in before.items() if job_of["sales", 1][0] not in name}
    server.start()
    assert server.get("/v1/datasets/sales/rows").json()["meta"] == {"total": 1, "version": 1}
    # They are kept, and somebody is told.
    server.wait_for(lambda: "warning" in server.get("/readyz").json())
    warning = server.get("/readyz").json()["warning"]
    assert "datasets/" in warning and "more)" in warning and "playmeter adopt" in warning
    # Whose job is whose is not for everybody.
    warning = server.get("/readyz", key=None).json()["warning"]
    assert "datasets/" not in warning and cut not in warning and "folders: 3 are kept" in warning
    assert all(os.path.exists(folder) for folder in (cut_folder, strange_folder, empty_folder))
    server.import_csv("third", SALES[0])  # a sweep follows
    server.import_csv("third", SALES[0])
    for job in (cut, strange, empty):
        assert len(re.findall(rf"datasets/\d+/{job}: the database does not know its job", server.log())) == 1


@pytest.mark.parametrize("was, becomes", [('"rows":2,', '"rows":1,'), ('"type":"integer"', '"type":"text"'),
                                          ('"name":"city"', '"name":"town"')])
def test_a_version_json_that_was_changed_is_not_believed(server, was, becomes):
    os.unlink(path(server, "playmeter.db"))
    (folder,) = [f for f in folders(server).values()
                 if (read_version(f)["dataset"], read_version(f)["version"]) == ("sales", 2)]
    with open(os.path.join(folder, "version.json"), encoding="utf-8") as f:
        text = f.read()
    assert was in text
    with open(os.path.join(folder, "version.json"), "w", encoding="utf-8") as f:
        f.write(text.replace(was, becomes))
    (line,) = [line for line in adopt(server).splitlines() if os.path.basename(folder) in line]
    assert "is left alone" in line and "SHA-256 does not fit" in line


def copy_folder(server, label, number="77"):
    """Under another dataset's number; (the original, the copy)."""
    (folder,) = [f for f in folders(server).values() if read_version(f)["label"] == label]
    copy = path(server, "datasets", number, os.path.basename(folder))
    os.makedirs(os.path.dirname(copy))
    subprocess.run(["cp", "-a", folder, copy], check=True, timeout=60)
    subprocess.run(["chown", "--reference", folder, os.path.dirname(copy)], check=True, timeout=60)
    return folder, copy


@pytest.mark.parametrize("number", ["0", "77"])
def test_a_copy_of_a_folder_is_left_alone_by_the_adoption(server, number):
    _, copy = copy_folder(server, "second", number)
    before = len(os.listdir(os.path.dirname(copy)))
    os.unlink(path(server, "playmeter.db"))
    told = adopt(server)
    assert "sales: adopted version 1, 2, 3; version 3 is current" in told
    (line,) = [line for line in told.splitlines() if "is left alone" in line]
    assert os.path.basename(copy) in line and "remove it, or move it out" in line
    assert len(os.listdir(os.path.dirname(copy))) == before
    server.start()
    versions = server.get("/v1/datasets/sales/versions").json()["data"]
    assert [(v["version"], v["available"]) for v in versions] == [(3, True), (2, True), (1, True)]


def test_a_copy_of_a_folder_beside_its_database_is_told_of_with_the_way_out(server, kept):
    _, copy = copy_folder(server, "third")
    name = os.path.relpath(copy, server.data)
    server.start()
    server.wait_for(lambda: "warning" in server.get("/readyz").json())
    warning = server.get("/readyz").json()["warning"]
    assert f"{name}: its version has its files in datasets/" in warning
    assert "remove it, or move it out of the data directory" in warning and "adopt" not in warning
    server.stop()
    told = adopt(server)
    assert f"{name} is left alone" in told and "remove it, or move it out" in told
    assert os.path.exists(os.path.join(copy, "rows.db"))
    shutil.rmtree(copy)
    assert "nothing to adopt" in adopt(server)
    server.start()
    assert answers(server) == kept.answers


def test_a_count_that_cannot_be_does_not_stop_the_adoption(server):
    (folder,) = [f for f in folders(server).values() if read_version(f)["label"] == "second"]
    write_version(folder, {**read_version(folder), "catalogue_seq": 2 ** 63 - 1})
    os.unlink(path(server, "playmeter.db"))
    told = adopt(server)
    assert f"{os.path.basename(folder)} is left alone" in told
    assert "sales: adopted version 1, 3; version 3 is current" in told
    server.start()
    assert server.post("/v1/datasets/sales/rollback").json()["version"] == 1


def edit_database(server, sql):
    with closing(sqlite3.connect(path(server, "playmeter.db"))) as db:
        db.execute(sql)
        db.commit()
    for name in ("playmeter.db-wal", "playmeter.db-shm"):
        if os.path.exists(path(server, name)):
            os.unlink(path(server, name))


@pytest.mark.parametrize("is_adopted", [True, False])
def test_a_version_that_is_gone_is_waited_for_no_more(server, is_adopted):
    """Another stood in for it; an append would be refused for ever.  The check mends what an older
    adoption left."""
    (folder,) = [f for f in folders(server).values() if read_version(f)["label"] == "third"]
    edit_database(server, "UPDATE dataset SET version = 2, wanted_version = 3 WHERE name = 'sales'")
    shutil.rmtree(folder)
    if is_adopted:
        told = adopt(server)
        assert "the files of version 3 are gone" in told and "version 2 is current" in told
    else:
        edit_database(server, "UPDATE dataset_version SET dropped_at = 1 WHERE number = 3")
    server.start()
    server.wait_for(lambda: "warning" not in server.get("/readyz").json())
    server.import_csv("sales", b"id,city\n9,Ulm\n", mode="append")
    assert server.get("/v1/datasets/sales/rows").json()["meta"] == {"total": 3, "version": 4}


@pytest.mark.parametrize("is_in_database", [True, False])
def test_a_checksum_that_becomes_known_is_in_the_folder_too(server, is_in_database):
    """Of a version that an older program made."""
    (folder,) = [f for f in folders(server).values() if read_version(f)["label"] == "third"]
    whole = read_version(folder)
    write_version(folder, {**whole, "rows_checksum": 0})
    if not is_in_database:
        edit_database(server, "UPDATE dataset_version SET rows_checksum = 0, checked_at = 0")
    server.start()
    server.wait_for(lambda: read_version(folder)["rows_checksum"] == whole["rows_checksum"])
    assert read_version(folder)["catalogue_seq"] == state(server)["catalogue_seq"]


def test_what_a_kill_left_of_a_file_it_replaced_is_swept(server):
    (folder,) = [f for f in folders(server).values() if read_version(f)["label"] == "third"]
    names = ("state.0123abcd", "playmeter.db-wal.0123abcd", "state.0123abcg", "state.89abcdef")
    left = [path(server, name) for name in names] + [os.path.join(folder, "version.json.0123abcd")]
    left += [path(server, name) for name in ("admin.key.0123abcd", "jwt.secret.0123abcd")]
    for name in left:
        with open(name, "wb"):
            pass
        if not name.endswith("89abcdef"):  # which somebody writes now
            os.utime(name, (1, 1))
    server.start()
    server.wait_for(lambda: not any(os.path.exists(name) for name in left[:1] + left[4:]))
    assert all(os.path.exists(name) for name in left[1:4])


@pytest.mark.parametrize("change", [{"directory": "0" * 32}, {"catalogue_seq": 1000}])
def test_nothing_of_another_directory_or_newer_is_swept(server, change):
    """Of a version that is dropped, so that the database would have it go."""
    (folder,) = [f for f in folders(server).values() if read_version(f)["label"] == "first"]
    server.start()
    write_version(folder, {**read_version(folder), **change})
    server.import_csv("sales", SALES[0])
    server.wait_for(lambda: "warning" in server.get("/readyz").json())
    assert os.path.exists(os.path.join(folder, "rows.db"))
    why = "another data directory's" if "directory" in change else "newer than the database"
    assert why in server.get("/readyz").json()["warning"] and why in server.log()
    shutil.rmtree(folder)
    server.import_csv("sales", SALES[0])
    server.wait_for(lambda: "warning" not in server.get("/readyz").json())


def test_an_upload_whose_job_the_database_has_lost_stays_in_the_spool(server):
    spool = path(server, "spool")
    lost, orphan = os.path.join(spool, "0" * 20), os.path.join(spool, "1" * 20)
    for folder in (lost, orphan):
        os.makedirs(folder)
        with open(os.path.join(folder, "source"), "wb") as f:
            f.write(SALES[0])
    with open(os.path.join(orphan, "arriving"), "wb"):
        pass
    for folder in (lost, orphan):
        os.utime(folder, (1, 1))
    owner = os.stat(server.data)
    subprocess.run(["chown", "-R", f"{owner.st_uid}:{owner.st_gid}", spool], check=True, timeout=10)
    server.start()
    server.wait_for(lambda: "warning" in server.get("/readyz").json())
    assert os.path.exists(os.path.join(lost, "source")) and not os.path.exists(orphan)
    assert f"spool/{'0' * 20}" in server.get("/readyz").json()["warning"]


def test_the_secret_of_a_url_is_not_in_the_folder(server, source):
    server.start()
    url = source.put("/data.csv?sig=secret", SALES[0])
    job = server.wait_job(server.post("/v1/datasets/signed/imports", json={"url": url}).json())
    assert job["state"] == "succeeded", job
    content = read_version(folders(server)[job["id"]])
    assert "secret" not in str(content) and content["source"] == url.partition("?")[0]


def test_adopt_refuses_beside_a_service_and_a_file_that_is_no_database(server):
    server.start()
    beside = command(server, "adopt")
    assert beside.returncode == 1 and "writer_running" in beside.stderr, beside
    server.stop()
    with open(path(server, "playmeter.db"), "wb") as f:
        f.write(b"no database, by far" * 1000)
    done = command(server, "adopt")
    assert done.returncode == 1 and "not a database" in done.stderr, done


@pytest.mark.crash
def test_the_writer_does_not_go_on_with_a_database_that_was_replaced(server, kept):
    """Beneath the running service; it is found out when the writer opens it again."""
    server.start()
    os.unlink(path(server, "playmeter.db"))
    put_database(server, kept.older)
    for name in ("playmeter.db-wal", "playmeter.db-shm"):
        if os.path.exists(path(server, name)):
            os.unlink(path(server, name))
    before = sorted(folders(server))
    server.kill("writer", signal.SIGKILL)
    server.wait_for(lambda: "writer_failed" in server.log())
    assert "is older than the files beside it" in server.log()
    assert sorted(folders(server)) == before
    server.reap()
