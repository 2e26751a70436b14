"""The commands beside `serve`, as somebody at a shell meets them."""

import json
import os
import pty
import re
import subprocess

import pytest

import harness

CSV = "name,price\nAnna,1.5\nBob,2.25\n"


def run(*arguments, cwd=None):
    return subprocess.run([harness.binary(), *arguments], capture_output=True, text=True,
                          timeout=60, cwd=cwd)


def run_at_terminal(*arguments):
    """(what the terminal shows, stdout)"""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([harness.binary(), *arguments], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # the other side is gone
            break
        if not piece:
            break
        shown += piece
    os.close(ours)
    out = process.communicate(timeout=60)[0]
    assert process.returncode == 0, shown
    return shown.decode(), out.decode()


def csv_file(tmp_path, text=CSV):
    path = tmp_path / "sales.csv"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_import_goes_through_the_service_that_runs(server, tmp_path):
    done = run("import", csv_file(tmp_path), "--dataset", "by_shell", "--data", server.data)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["accepted"] == 2
    assert "no service" not in done.stderr
    answer = server.get("/v1/datasets/by_shell/rows")
    assert answer.json()["data"] == [{"name": "Anna", "price": 1.5}, {"name": "Bob", "price": 2.25}]


def test_import_bar_ends_full(server, tmp_path):
    shown, out = run_at_terminal("import", csv_file(tmp_path), "--dataset", "bar", "--data",
                                 server.data)
    last = shown.split("\r\x1b[K")[-1]
    assert "[##############################] 100%  done" in last and "2 rows" in last
    assert json.loads(out)["rows"] == 2


def test_import_without_a_service_says_so_and_where(tmp_path):
    server = harness.Server()  # never started: a folder that the service's user can reach
    try:
        done = run("import", csv_file(tmp_path), "--dataset", "alone", "--data", server.data)
    finally:
        server.close()
    assert done.returncode == 0, done.stderr
    assert f"no service runs on {server.data}; importing without one" in done.stderr
    assert json.loads(done.stdout)["rows"] == 2


def test_import_failures_say_what_to_change(server, tmp_path):
    path = csv_file(tmp_path)
    data = ["--data", server.data]
    missing = run("import", str(tmp_path / "nofile.csv"), "--dataset", "x", *data)
    assert missing.returncode == 1
    assert missing.stderr.endswith("nofile.csv: no such file\n")
    assert "internal" not in missing.stderr
    wrong = run("import", path, "--dataset", "x", "--decimal", ";", *data)
    assert wrong.returncode == 2 and "decimal is '.' or ',', got ';'" in wrong.stderr
    assert run("import", path, "--dataset", "x", "--mod", "append", *data).returncode == 2
    failed = run("import", path, "--dataset", "x", "--key", "nmae", *data)
    assert failed.returncode == 1
    assert "key names 'nmae', which is no column of the CSV; did you mean 'name'?" in failed.stderr


def test_every_command_explains_itself():
    names = [line.split()[0] for line in run("--help").stdout.splitlines()
             if line.startswith("  ")]
    assert {"serve", "import", "keys", "routes", "check-config", "version"} <= set(names)
    with open(os.path.join(harness.ROOT, "nginx/www/manual/operators.md"), encoding="utf-8") as f:
        manual = f.read()
    for name in names:
        assert f"`playmeter {name}" in manual
        told = run(name, "--help")
        assert told.returncode == 0 and told.stdout.startswith(f"Usage: playmeter {name}")


def test_import_help_lists_the_options_of_the_api():
    told = run("import", "--help").stdout
    routes = json.loads(run("routes", "--json").stdout)
    options = next(r for r in routes if r["operation"] == "create_import")["parameters"]
    for option in options:
        if option["name"] != "altname":
            assert f"--{option['name']} " in told and option["help"] in told
    assert "--mode replace|append|upsert" in told and "--max_errors N" in told


def test_the_manual_lists_the_options_of_the_api():
    def values(option):
        if option["type"] == "word":
            return " ".join(f"`{word}`" for word in option["words"].split())
        return "a number" if option["type"] == "integer" else "text"
    routes = json.loads(run("routes", "--json").stdout)
    options = next(r for r in routes if r["operation"] == "create_import")["parameters"]
    assert options.pop()["name"] == "altname"
    with open(os.path.join(harness.ROOT, "nginx/www/manual/analysts.md"), encoding="utf-8") as f:
        table = f.read().partition("| option | values | meaning |\n|---|---|---|\n")[2].partition("\n\n")[0]
    assert table.splitlines() == [f"| `{option['name']}` | {values(option)} | {option['help']} |"
                                  for option in options]


def test_routes_says_who_may_call():
    callers = {tuple(line.split()[:2]): line[43:60].strip()
               for line in run("routes").stdout.splitlines()}
    assert {"GET /v1/datasets": "public", "GET /v1/jobs": "read", "POST /login": "none",
            "POST /v1/earn": "player", "GET /v1/events": "player or admin",
            "GET /stats": "player or read", "GET /track": "none or player"}.items() \
        <= {" ".join(route): caller for route, caller in callers.items()}.items()


def test_keys_new_says_where_the_entry_goes():
    made = run("keys", "new", "--name", "dashboard")
    assert made.returncode == 0 and 'scope: "read"' in made.stdout
    assert "settings file" in made.stderr
    refused = run("keys", "new", "--name", "dashboard", "--scope", "reed")
    assert refused.stderr == ("playmeter keys new: a key needs a scope: read, write or admin\n")


def test_a_key_that_is_missing_unknown_or_too_small_is_told_apart(server):
    server.import_csv("private", CSV.encode())
    path = "/v1/datasets/private/rows"
    missing = server.get(path, key=None)
    assert missing.status_code == 401
    assert "needs a key of scope read in the header X-API-Key" in missing.json()["detail"]
    unknown = server.get(path, key="0" * 64)
    assert unknown.status_code == 401
    assert unknown.json()["detail"] == "The key in the header X-API-Key is not known here."
    jobs = server.get("/v1/jobs", key=None)
    assert jobs.json()["detail"] == "this needs a key of scope read in the header X-API-Key"
    upload = server.request("PUT", "/v1/datasets/x/imports", key=None, data=CSV)
    assert upload.status_code == 401
    assert upload.json()["detail"] == "This needs a key of scope write in the header X-API-Key."


def test_json_without_its_type_is_told_the_type(server):
    answer = server.post("/v1/datasets/x/imports", data='{"url": "http://127.0.0.1/"}',
                         headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status_code == 415
    assert "Content-Type: application/json" in answer.json()["detail"]


PURCHASES = ("AppsFlyer ID;Event Name;Event Time;Event Revenue USD;Campaign;Receipt ID;Status\r\n"
             "a;purchase;2025-10-20 09:00:00;4,99;spring;R1;success\r\n"
             "b;purchase;2025-10-20 09:00:00;1;spring\r\n"
             "c;purchase;soon;2;spring;R3;success\r\n")


def report_inputs(tmp_path, **files):
    folder = tmp_path / "in"
    folder.mkdir()
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8", newline="")
    return str(folder), str(tmp_path / "out")


def test_report_makes_what_it_can_and_says_what_is_missing(tmp_path):
    folder, output = report_inputs(tmp_path, purchases_raw=PURCHASES, costs_daily="day,campaign\n")
    done = run("report", "--input", folder, "--output", output)
    assert done.returncode == 1 and done.stderr == ""
    lines = {line.split(":")[0]: line for line in done.stdout.splitlines()}
    assert lines["purchases_curated"].endswith("/2025-10-19/purchases_curated.json")
    assert lines["  bad_row"] == "  bad_row: purchases_raw line 3: wrong_cell_count"
    assert "not made: missing_input: there is no confirmed_purchases" in lines["reconciliation"]
    assert "not made: missing_columns: the CSV lacks columns of dataset costs_daily: 'date'" in \
        lines["roas_d1"]
    assert "'ad_cost_usd'" in lines["roas_d1"]
    assert "not made: missing_input: there is no sessions" in lines["arpdau_d1"]
    assert lines["deeplink"].startswith("deeplink: left out")
    assert sorted(os.listdir(os.path.join(output, "2025-10-19"))) == ["purchases_curated.csv",
                                                                      "purchases_curated.json"]
    with open(os.path.join(output, "purchases_curated.json"), encoding="utf-8") as f:
        curated = json.load(f)
    assert curated["summary"]["rows_in"] == 2
    assert [(row["line"], row["revenue_usd"]) for row in curated["purchases"]] == [(2, 4.99)]
    assert [(row["line"], row["reason"]) for row in curated["dropped"]] == [(4, "bad_time")]
    told = {w["code"]: w["detail"] for w in curated["warnings"]}
    assert list(told) == ["bad_row", "unread_times"]
    assert told["bad_row"] == "purchases_raw line 3: wrong_cell_count"
    assert "cannot be read: 1, the first in line 4" in told["unread_times"]
    assert curated["definitions"]["time_zones"] == {"purchases_raw": "UTC"}


def test_report_refuses_what_it_cannot_start_with(tmp_path):
    folder, output = report_inputs(tmp_path)
    for arguments, code, words in (
            ([], 2, "--input DIR and --output DIR are needed"),
            (["--input", folder, "--output", output, "--date", "20.10.2025"], 2,
             "--date is a day like 2026-01-31, got '20.10.2025'"),
            (["--input", folder, "--output", output, "--day", "x"], 2, "no such option"),
            (["--input", folder, "--output", output, "--date", "2025-10-20"], 1,
             "missing_input: none of the inputs purchases_raw, confirmed_purchases, costs_daily and "
             "sessions is there")):
        done = run("report", *arguments)
        assert done.returncode == code and words in done.stderr, done
    assert not os.path.exists(output)


def test_an_import_without_a_service_leaves_nothing_that_others_can_read(tmp_path):
    """Nor does a service that finds a database which was made so."""
    server = harness.Server()
    try:
        os.makedirs(server.data, mode=0o755, exist_ok=True)
        os.chmod(server.data, 0o755)
        source = tmp_path / "t.csv"
        source.write_bytes(b"id\n1\n")
        done = run("import", str(source), "--dataset", "things", "--config", server.config,
                   "--data", server.data)
        assert done.returncode == 0, done
        made = [os.path.join(folder, name) for folder, folders, names in os.walk(server.data)
                for name in folders + names]
        assert {"playmeter.db", "rows.db"} <= {os.path.basename(path) for path in made}
        assert [path for path in made if os.stat(path).st_mode & 0o077] == []
        database = os.path.join(server.data, "playmeter.db")
        os.chmod(database, 0o644)
        server.start()
        assert os.stat(database).st_mode & 0o077 == 0
    finally:
        server.close()


def test_migrate_makes_what_the_service_can_open_and_no_folder(tmp_path):
    done = run("migrate", "--data", str(tmp_path / "nowhere"))
    assert done.returncode == 1 and "nowhere: No such file" in done.stderr, done
    assert not os.path.exists(tmp_path / "nowhere")
    server = harness.Server()
    try:
        os.makedirs(server.data, exist_ok=True)
        done = run("migrate", "--config", server.config, "--data", server.data)
        assert done.returncode == 0 and done.stdout.endswith(" migrations applied\n"), done
        assert os.stat(os.path.join(server.data, "playmeter.db")).st_mode & 0o077 == 0
        again = run("migrate", "--config", server.config, f"--data={server.data}")
        assert again.stdout == "0 migrations applied\n", again
        server.start()
        beside = run("migrate", "--config", server.config, "--data", server.data)
        assert beside.returncode == 1 and "0 migrations" not in beside.stdout, beside
    finally:
        server.close()


# Files that the operator names

NAMED = {
    "key": lambda file: "keys: [{client: a, scope: read, key_file: %s}]" % file,
    "secret": lambda file: "players: {secret_file: %s}" % file,
    "previous secret": lambda file: "players: {previous_secret_file: %s}" % file,
}


def name_file(tmp_path, what, file):
    """The settings file that is checked: the file itself, or one that names it."""
    if what not in NAMED:
        return str(file)
    path = tmp_path / "names.yaml"
    path.write_text(NAMED[what](file), encoding="utf-8")
    return str(path)


def make_file(path, kind):
    makers = {
        "folder": path.mkdir,
        "pipe": lambda: os.mkfifo(path),
        "loop": lambda: path.symlink_to(path),
        "large": lambda: path.write_bytes(b"#" * 100_000_000),
        "nul": lambda: path.write_bytes(b"\0" * 50),
        "latin-1": lambda: path.write_bytes(b"caf\xe9"),
        "utf-16": lambda: path.write_bytes("http:\n".encode("utf-16")),
        "nested": lambda: path.write_bytes(b"[" * 1_000_000),
        "aliases": lambda: path.write_bytes(b"a: &a [b, b]\nc: [*a, *a]\n"),
        "absent": lambda: None,
    }
    makers[kind]()
    if path.is_file():
        path.chmod(0o600)
    return path


@pytest.mark.parametrize("kind, words", [
    ("folder", " is a folder, a pipe or a device, not a file"), ("pipe", " is a folder, a pipe or a device, not a file"),
    ("loop", ": Too many levels of symbolic links"), ("large", " is larger than "),
    ("nul", ""), ("latin-1", ""), ("utf-16", ""), ("nested", ""), ("aliases", ""),
    ("absent", ": no such file")])
@pytest.mark.parametrize("what", ["settings", *NAMED])
def test_a_file_that_cannot_be_what_it_should_is_refused_by_name(tmp_path, what, kind, words):
    file = make_file(tmp_path / "file", kind)
    done = run("check-config", name_file(tmp_path, what, file))
    if what.endswith("secret") and kind == "nul":
        assert done.returncode == 0  # any bytes make a secret
        return
    assert (done.returncode, done.stdout) == (1, "")
    assert re.match(f"playmeter: {re.escape(str(file))}[: ]", done.stderr), done.stderr
    assert words in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_import_of_what_is_no_file_is_refused_at_once(tmp_path, kind):
    file = make_file(tmp_path / "file", kind)
    done = run("import", str(file), "--dataset", "x", "--data", str(tmp_path / "data"))
    assert done.returncode == 1
    assert done.stderr == (f"playmeter import: no_source: {file} is a folder, a pipe or a device, "
                           "not a file\n")


@pytest.mark.parametrize("text", [b"", b"\n", b" \n  \n", b"# nothing\n", b"---\n...\n", b"null\n",
                                  b"\xef\xbb\xbf", b"\xef\xbb\xbf# nothing"])
def test_settings_of_nothing_are_the_shipped_ones(tmp_path, text):
    path = tmp_path / "settings.yaml"
    path.write_bytes(text)
    done = run("check-config", str(path))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"ok: {path} (declared datasets: 5, keys: 0)\n"


def test_links_to_files_are_followed(tmp_path):
    for name, text in (("a.key", "a" * 64), ("secret", "s" * 32)):
        (tmp_path / name).write_text(text, encoding="ascii")
        (tmp_path / name).chmod(0o600)
        (tmp_path / f"link.{name}").symlink_to(name)
    (tmp_path / "real.yaml").write_text(
        "keys: [{client: a, scope: read, key_file: link.a.key}]\n"
        "players: {secret_file: link.secret}\n", encoding="ascii")
    (tmp_path / "settings.yaml").symlink_to("real.yaml")
    done = run("check-config", str(tmp_path / "settings.yaml"))
    assert done.returncode == 0 and "keys: 1" in done.stdout, done.stderr


def test_a_pattern_that_memory_cannot_hold_is_refused_at_once(tmp_path):
    path = tmp_path / "settings.yaml"
    path.write_text('reports: {receipt_pattern: "a{1,32767}"}\n', encoding="ascii")
    done = subprocess.run([harness.binary(), "check-config", str(path)], capture_output=True,
                          text=True, timeout=5)
    assert done.returncode == 1 and "at most 1000 parts" in done.stderr
