"""A byte that turned in a file of a dataset: damage done while the service was stopped is never
answered from, damage done while it runs is found by the next check, and from then on no answer is
wrong.  Index files come back by themselves; in the place of a version without its rows another one
answers, and says so.
"""

import os
import shutil
import subprocess

import pytest

import harness

pytestmark = pytest.mark.crash

DAMAGES = 25  # of each kind of file
KINDS = ["rows.db", "columns", "trigrams", "tfidf"]
DATASETS = [f"books{i}" for i in range(10)]
# Above the 4 MiB of text from which a column has trigrams.
ROWS, WORDS_PER_ROW = 2200, 280
OLDER, NEWER = 1, 2
REFUSALS = {"version_unchecked", "version_damaged", "index_damaged"}

COLUMNS = """
    public: true
    columns:
      - {name: id, type: integer, key: true}
      - {name: title, type: text, title: true}
      - {name: price, type: real}
      - {name: pages, type: integer}
      - {name: day, type: date}
      - {name: shelf, type: text}
      - {name: about, type: text, similar: true}
      - {name: tags, type: list}
"""


def csv_of(generation, rows=ROWS):
    rng = harness.Dice(f"books {generation}")
    words = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(4, 10)))
             for _ in range(3000)]
    lines = ["id,title,price,pages,day,shelf,about,tags"]
    for i in range(rows):
        about = " ".join(rng.choices(words, k=WORDS_PER_ROW))
        tags = ";".join(rng.sample(words[:40], 3)).replace(";", ", ")
        lines.append(f'{i},Book {i} of {generation},{rng.randint(0, 9999) / 100},'
                     f'{rng.randint(10, 900)},2025-{rng.randint(1, 12):02}-{rng.randint(1, 28):02},'
                     f'{rng.choice(words[:9])},{about},"{tags}"')
    return ("\n".join(lines) + "\n").encode(), words


def questions(words):
    """Per kind of file, what is answered from it."""
    return {
        "rows.db": [("rows", {"format": "csv"})],
        "columns": [
            *[("rows", {"sort": f"-{column}", "limit": 30, "fields": "id"})
              for column in ("price", "pages", "day", "title", "about")],
            ("stats", {"column": "price,pages", "aggregate": "count,sum,min,max,median"}),
            ("groups", {"by": "shelf", "aggregate": "count"}),
            ("groups", {"by": "tags", "aggregate": "count"}),
        ],
        "trigrams": [("rows", {"about__contains": word[:5], "limit": 10, "fields": "id"})
                     for word in words[:12]],
        "tfidf": [("similar", {"key": key, "limit": 20}) for key in (1, 7, 700, 1400, 2100)],
    }


class Library:
    """Datasets of two versions each, with what they have to answer."""

    def __init__(self, names, check_every="1s"):
        self.server = harness.Server({"storage.check_every": check_every})
        self.server.edit_config(lambda text: text.replace(
            "\ndatasets:\n", "\ndatasets:\n" + "".join(f"  {n}:{COLUMNS}" for n in names), 1))
        self.server.start()
        self.names = names
        self.asked = None
        self.truth = {}
        self.folders = {}
        self.generation_of = {}
        self.known_jobs = {}
        self.checks_before = 0

    def fill(self):
        for generation in (OLDER, NEWER):
            data, words = csv_of(generation)
            self.asked = self.asked or questions(words)
            for name in self.names:
                self.server.import_csv(name, data)
            for kind in KINDS:
                answers = [self.ask(self.names[0], question) for question in self.asked[kind]]
                assert {a.status_code for a in answers} == {200}, [a.text for a in answers]
                self.truth[generation, kind] = [self.content(a) for a in answers]
        for name in self.names:
            for version in self.versions(name):
                folder = self.find_folder(version["job_id"])
                self.folders[name, version["version"]] = folder
                self.generation_of[version["job_id"]] = version["version"]
                assert set(os.listdir(folder)) == {*KINDS, "version.json"}, folder
        return self

    def find_folder(self, job_id):
        root = os.path.join(self.server.data, "datasets")
        return next(os.path.join(root, d, job_id) for d in os.listdir(root)
                    if os.path.isdir(os.path.join(root, d, job_id)))

    def path(self, name, kind, version=NEWER):
        return os.path.join(self.folders[name, version], kind)

    def ask(self, name, question):
        what, params = question
        return self.server.get(f"/v1/datasets/{name}/{what}", params=params, key=None)

    @staticmethod
    def content(answer):
        if answer.headers["Content-Type"].startswith("text/csv"):
            return answer.text
        body = answer.json()
        return body["data"], body["meta"].get("total")

    def check(self, name, kind, expect=None):
        """No answer from that kind of file is wrong, whichever version gives it; the versions that
        did.  `expect`: all answer, and that version."""
        seen = set()
        for number, question in enumerate(self.asked[kind]):
            answer = self.ask(name, question)
            if answer.status_code == 503:
                assert answer.json()["code"] in REFUSALS, answer.text
                assert answer.headers["Retry-After"]
                assert expect is None, (name, question, answer.text)
                continue
            assert answer.status_code == 200, (name, question, answer.text)
            # The tag begins with the job that made the version.
            generation = self.generation_of[answer.headers["ETag"].strip('W/"')[:20]]
            assert self.content(answer) == self.truth[generation, kind][number], (name, question)
            seen.add(generation)
        assert expect is None or seen == {expect}, (name, seen)
        return seen

    def versions(self, name):
        answer = self.server.get(f"/v1/datasets/{name}/versions")
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def version(self, name, number=NEWER):
        return next(v for v in self.versions(name) if v["version"] == number)

    def jobs(self, name):
        answer = self.server.get("/v1/jobs", params={"dataset": name, "kind": "reindex", "limit": 500})
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def is_whole(self, name):
        return all(v["damaged"] is None for v in self.versions(name))

    def was_found(self, name):
        """Has a job been made for it since this was asked last?"""
        known, self.known_jobs[name] = self.known_jobs.get(name, 0), len(self.jobs(name))
        return self.known_jobs[name] > known

    def wait(self, is_true, timeout=40):
        self.server.wait_for(is_true, timeout, lambda: self.server.log()[-4000:])

    def wait_checked(self, name, number=NEWER):
        """Until the version was read from its beginning to its end, or found damaged."""
        jobs = len(self.jobs(name))
        seen = {self.version(name, number)["checked_at"]}

        def is_checked():
            version = self.version(name, number)
            seen.add(version["checked_at"])
            return version["damaged"] or len(self.jobs(name)) > jobs or len(seen) > 2
        self.wait(is_checked)

    def start(self):
        """Ready or not: with a version lost it is not.  The check of the start may be under way."""
        self.checks_before = checks(self.server)
        self.server.wait_ready = lambda: self.server.wait_for(
            lambda: lives(self.server), 30) or True
        self.server.start()

    def wait_started(self):
        self.wait(lambda: checks(self.server) > self.checks_before)


def checks(server):
    return server.log().count('"event":"files_checked"')


def lives(server):
    try:
        return server.get("/livez", key=None, timeout=5).status_code == 200
    except OSError:
        return False


def turn(path, dice):
    """Another byte somewhere; what undoes it."""
    offset, change = dice.randrange(os.path.getsize(path)), dice.randint(1, 255)
    flip(path, offset, change)
    return path, offset, change


def flip(path, offset, change):
    with open(path, "r+b", buffering=0) as f:
        f.seek(offset)
        byte = f.read(1)[0]
        f.seek(offset)
        f.write(bytes([byte ^ change]))


@pytest.fixture
def library():
    made = []

    def make(names, **more):
        made.append(Library(names, **more))
        return made[-1].fill()

    yield make
    for one in made:
        one.server.close()


def damage(library, batch, dice):
    """A byte in a file of each dataset; {dataset: (kind, what undoes it)}."""
    turned = {}
    for i, name in enumerate(library.names):
        kind = KINDS[(batch + i) % len(KINDS)]
        turned[name] = kind, turn(library.path(name, kind), dice)
    return turned


def test_no_answer_comes_from_a_turned_byte(library, dice):
    library = library(DATASETS)
    done, found = dict.fromkeys(KINDS, 0), dict.fromkeys(KINDS, 0)
    batch = 0
    while min(done.values()) < dice.rounds(DAMAGES):
        is_stopped = batch % 2 == 0
        if is_stopped:
            library.server.stop()
        turned = damage(library, batch, dice)
        print(f"batch {batch}, {'stopped' if is_stopped else 'running'}:",
              {name: (kind, *place[1:]) for name, (kind, place) in turned.items()})
        if is_stopped:
            library.start()
        else:
            for name in DATASETS:
                library.wait_checked(name)
        for name, (kind, _) in turned.items():
            library.check(name, kind)
        if is_stopped:
            library.wait_started()
        # Index files come back by themselves; rows.db is put back by somebody.
        for name, (kind, place) in turned.items():
            if kind == "rows.db":
                library.wait(lambda n=name: library.version(n)["damaged"])
                library.check(name, kind, expect=OLDER)
                flip(*place)
        for name, (kind, place) in turned.items():
            library.wait(lambda n=name: library.is_whole(n))
            library.check(name, kind, expect=NEWER)
            done[kind] += 1
            found[kind] += library.was_found(name)
            dice.reach(f"{kind} {'stopped' if is_stopped else 'running'}")
        batch += 1
    print(f"damages {done}, of them found {found}; the others lie where nothing is read")
    assert library.server.get("/readyz", key=None).status_code == 200
    assert found["rows.db"] == done["rows.db"] and all(found.values()), found


def cut(path):
    os.truncate(path, os.path.getsize(path) // 2)


def empty(path):
    os.truncate(path, 0)


def keep(path):
    """A copy that its owner can read."""
    kept = path + ".kept"
    shutil.copy2(path, kept)
    owner = os.stat(path)
    os.chown(kept, owner.st_uid, owner.st_gid)
    return kept


def test_a_file_that_is_cut_or_gone_is_damaged(library):
    names = DATASETS[:4]
    library = library(names)
    for number, spoil in enumerate([cut, empty, os.unlink, cut, empty, os.unlink]):
        kept = keep(library.path(names[0], "rows.db"))
        is_stopped = number < 3
        if is_stopped:
            library.server.stop()
        for name, kind in zip(names, KINDS):
            spoil(library.path(name, kind))
        if is_stopped:
            library.start()
        else:
            for name in names:
                library.wait_checked(name)
        for name, kind in zip(names, KINDS):
            library.check(name, kind)
        if is_stopped:
            library.wait_started()
        library.wait(lambda: all(library.is_whole(name) for name in names[1:]))
        library.check(names[0], "rows.db", expect=OLDER)
        os.rename(kept, library.path(names[0], "rows.db"))
        library.wait(lambda: library.is_whole(names[0]))
        for name, kind in zip(names, KINDS):
            library.check(name, kind, expect=NEWER)


def rows_damaged(library, name, dice, *versions):
    """rows.db of these versions damaged and found so; what undoes each."""
    places = [turn(library.path(name, "rows.db", v), dice) for v in versions]
    for version in versions:
        library.wait(lambda v=version: library.version(name, v)["damaged"] == ["rows.db"])
    return places


def rollback(library, name, version):
    return library.server.post(f"/v1/datasets/{name}/rollback", json={"version": version})


def test_a_stand_in_is_told_of_and_nothing_is_added_to_it(library, dice):
    library = library(["books"])
    server = library.server
    rows_damaged(library, "books", dice, NEWER)
    meta = server.get("/v1/datasets/books/rows", params={"limit": 1}).json()["meta"]
    assert meta["version"] == OLDER
    body = harness.problem(server.get("/readyz", key=None), 503, "not_ready", "datasets")
    for word in ("rows.db of version 2 of dataset books", "since 20", "version 1 answers",
                 "playmeter reindex"):
        assert word in body["detail"], body
    failed = server.wait_job(library.jobs("books")[0])
    assert (failed["state"], failed["error"]["code"]) == ("failed", "rows_damaged"), failed
    more = csv_of(3, rows=5)[0]
    for mode in ("append", "upsert"):
        job = server.import_csv("books", more, expect="failed", mode=mode)
        assert job["error"]["code"] == "version_damaged", job
    assert [v["version"] for v in library.versions("books") if v["current"]] == [OLDER]
    harness.problem(rollback(library, "books", NEWER), 409, "version_damaged")
    # Whoever wants to go on from the older one says so.
    assert rollback(library, "books", OLDER).json()["version"] == OLDER
    assert server.get("/readyz", key=None).status_code == 200
    assert server.import_csv("books", more, mode="upsert")["result"]["version"] == 3


def test_what_is_put_back_is_current_again(library, dice):
    library = library(["books"])
    server = library.server
    place, = rows_damaged(library, "books", dice, NEWER)
    library.check("books", "rows.db", expect=OLDER)
    command = [harness.binary(), "reindex", "--dataset", "books", "--data", server.data]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "version 2: rows.db of version 2 is damaged" in done.stderr, done
    assert "version 1:" in done.stdout, done
    flip(*place)
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done
    for kind in KINDS:
        library.check("books", kind, expect=NEWER)
    assert server.get("/readyz", key=None).status_code == 200


def test_without_a_whole_version_nothing_is_answered(library, dice):
    library = library(["books"])
    server = library.server
    places = rows_damaged(library, "books", dice, OLDER, NEWER)
    for kind in KINDS:
        for question in library.asked[kind]:
            harness.problem(library.ask("books", question), 503, "version_damaged")
    assert "no other one is whole" in server.get("/readyz", key=None).json()["detail"]
    # The older one alone is whole again, and then both.
    flip(*places[0])
    library.wait(lambda: library.version("books", OLDER)["damaged"] is None)
    library.check("books", "rows.db", expect=OLDER)
    flip(*places[1])
    library.wait(lambda: library.is_whole("books"))
    library.check("books", "rows.db", expect=NEWER)
    # Or the file is imported again.
    rows_damaged(library, "books", dice, OLDER, NEWER)
    server.import_csv("books", csv_of(NEWER)[0])
    assert server.get("/readyz", key=None).status_code == 200


def test_a_private_dataset_is_not_named_to_everybody(server_with):
    server = server_with({"storage.check_every": "1s"})
    server.import_csv("hidden", b"id,text\n1,one\n")
    root = os.path.join(server.data, "datasets")
    folder, = (os.path.join(root, d, j) for d in os.listdir(root)
               for j in os.listdir(os.path.join(root, d)))
    empty(os.path.join(folder, "rows.db"))
    server.wait_for(lambda: server.get("/readyz").status_code == 503)
    assert "dataset hidden" in server.get("/readyz").json()["detail"]
    assert "hidden" not in server.get("/readyz", key=None).text


def test_a_start_waits_for_checks_and_not_for_lost_rows(server_with):
    server = server_with({"storage.check_every": "1s"})
    server.import_csv("hidden", b"id,text\n1,one\n")
    root = os.path.join(server.data, "datasets")
    folder, = (os.path.join(root, d, j) for d in os.listdir(root)
               for j in os.listdir(os.path.join(root, d)))
    server.import_csv("whole", b"id,text\n1,one\n")
    server.stop()
    empty(os.path.join(folder, "rows.db"))
    before = len(server.log())
    server.wait_ready = lambda: server.wait_for(lambda: lives(server), 30) or True
    server.start()
    server.wait_for(lambda: "\nready http" in server.log()[before:])
    log = server.log()[before:]
    # Not before the checks, with one word of what is missing, and nothing of the asking.
    assert log.index('"event":"files_damaged"') < log.index("\nready http"), log
    warnings = [line for line in log.splitlines() if '"event":"not_ready"' in line]
    assert len(warnings) == 1 and "rows.db of version 1" in warnings[0], warnings
    assert '"path":"/readyz"' not in log, log
    harness.problem(server.get("/readyz", key=None), 503, "not_ready", "datasets")
    assert server.get("/v1/datasets/whole/rows").status_code == 200


def test_an_append_reads_no_damaged_row(library, dice):
    library = library(["books"], check_every="1d")
    turn(library.path("books", "rows.db"), dice)
    job = library.server.import_csv("books", csv_of(3, rows=5)[0], expect="failed", mode="append")
    assert job["error"]["code"] == "rows_damaged", job
    # And nobody waits a day for the rest.
    library.wait(lambda: library.version("books")["damaged"] == ["rows.db"])
    library.check("books", "rows.db", expect=OLDER)


def test_a_worker_that_meets_damage_has_it_looked_at(library):
    library = library(["books"], check_every="1d")
    # Workers that have none of the files open yet.
    library.server.reload()
    empty(library.path("books", "columns"))
    library.ask("books", library.asked["columns"][0])
    library.wait(lambda: library.jobs("books"))
    library.wait(lambda: library.is_whole("books"))
    library.check("books", "columns", expect=NEWER)


def test_the_check_of_the_start_is_not_repeated(library):
    library = library(["books"], check_every="1d")
    server = library.server
    before = checks(server)
    server.reload()
    server.kill("jobs")
    server.wait_for(lambda: server.pids("jobs"))
    server.import_csv("books", csv_of(3, rows=5)[0])
    assert checks(server) == before
    server.restart()
    library.wait(lambda: checks(server) > before)


def test_a_tag_of_damaged_files_is_not_confirmed(library, dice):
    library = library(["books"])
    question = library.asked["columns"][0]
    tag = library.ask("books", question).headers["ETag"]
    turn(library.path("books", "columns"), dice)
    library.wait(lambda: library.jobs("books"))
    library.wait(lambda: library.is_whole("books"))
    answer = library.server.get("/v1/datasets/books/rows", params=question[1],
                                headers={"If-None-Match": tag})
    assert answer.status_code == 200


@pytest.mark.parametrize("is_sound", [True, False], ids=["sound", "cut"])
def test_rows_of_an_older_program_get_a_checksum(library, dice, is_sound):
    library = library(["books"])
    library.server.stop()
    with library.server.database("rw") as db:
        db.execute("UPDATE dataset_version SET rows_checksum = 0, checked_start = 0, checked_at = 0")
    if not is_sound:
        cut(library.path("books", "rows.db"))
    library.start()
    library.wait_started()
    if not is_sound:
        library.wait(lambda: library.version("books")["damaged"] == ["rows.db"])
        library.check("books", "rows.db", expect=OLDER)
        return
    library.wait(lambda: library.server.get("/readyz", key=None).status_code == 200)
    rows_damaged(library, "books", dice, NEWER)
    library.check("books", "rows.db", expect=OLDER)
