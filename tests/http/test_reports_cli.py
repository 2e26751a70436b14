"""`playmeter report` on bare files: every figure of every file against the oracle, which works
them out from their definitions, on the sample and on small random inputs full of ties, repeats
and cells that are none."""

import csv
import datetime
import gzip
import io
import json
import os
import signal
import subprocess
import time
from decimal import Decimal

import harness
import pytest
import report_oracle

DAY = datetime.date(2025, 10, 20)
INPUTS = ("purchases_raw", "confirmed_purchases", "costs_daily", "sessions")
SAMPLE_RULES = {"receipt_pattern": "^RCP-[0-9]+$"}


def config_file(folder, settings):
    """Only what differs from the shipped settings."""
    path = folder / "playmeter.yaml"
    names = {"window_s": "window"}
    lines = []
    for key, value in settings.items():
        value = f"{value}s" if key == "window_s" else str(value).lower() \
            if isinstance(value, bool) else value
        lines.append(f"  {names.get(key, key)}: {value}\n")
    path.write_text("reports:\n" + "".join(lines) if lines else "")
    return str(path)


def command(folder, output, day=None, settings=None, config_folder=None):
    arguments = [harness.binary(), "report", "--input", str(folder), "--output", str(output)]
    if day:
        arguments += ["--date", str(day)]
    if settings:
        arguments += ["--config", config_file(config_folder or output.parent, settings)]
    return arguments


def report(*arguments, **options):
    done = subprocess.run(command(*arguments, **options), capture_output=True, text=True,
                          timeout=120)
    assert done.returncode == 0, done.stderr + done.stdout
    return done


def load(path):
    def refuse(word):
        raise AssertionError(f"{word} in {path}")
    return json.loads(path.read_text(), parse_float=Decimal, parse_constant=refuse)


def without_frame(document):
    frame = ("report", "date", "generated_at", "inputs", "definitions", "warnings")
    return {key: value for key, value in document.items() if key not in frame}


def in_one_order(name, document):
    """The oracle finds the same items in other ways; their order is asked of by itself."""
    if name == "reconciliation":
        kinds = ["matched", "af_only", "confirmed_only"]
        document["details"].sort(key=lambda item: (
            kinds.index(item["type"]), as_time(item["af_event_time_utc"] or
                                               item["cf_event_time_utc"]),
            item["af_line"] or 0, item["cf_line"] or 0))
    return document


def as_time(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def differences(seen, wanted, where=""):
    """Readable, and exact: 4.99 is 4.990 and not 4.9899999."""
    if isinstance(wanted, dict) and isinstance(seen, dict):
        if set(seen) != set(wanted):
            return [f"{where}: members {sorted(seen)}, not {sorted(wanted)}"]
        return [d for key in wanted for d in differences(seen[key], wanted[key], f"{where}.{key}")]
    if isinstance(wanted, list) and isinstance(seen, list):
        if len(seen) != len(wanted):
            return [f"{where}: {len(seen)} items, not {len(wanted)}"]
        return [d for i, (s, w) in enumerate(zip(seen, wanted))
                for d in differences(s, w, f"{where}[{i}]")]
    same = seen == wanted and isinstance(seen, bool) == isinstance(wanted, bool)
    return [] if same else [f"{where}: {seen!r}, not {wanted!r}"]


def check_against_oracle(folder, output, day, settings=None):
    wanted = report_oracle.reports(str(folder), day, settings)
    for name, document in wanted.items():
        seen = load(output / str(day) / f"{name}.json")
        assert seen["report"] == name and seen["date"] == str(day)
        found = differences(without_frame(seen), in_one_order(name, document), name)
        assert not found, "\n".join(found[:20])


# ---- inputs made up ----

def ties(rng):
    """Rows that are all kept, of one user and at few moments: most matchings are as good as
    others, and the lines decide."""
    step = rng.choice([1, 60, 200, 300])

    def row(i):
        at = datetime.datetime(2025, 10, 20) + datetime.timedelta(seconds=step * rng.randint(0, 9))
        return ["af_1", "purchase", at.isoformat() + "Z", f"1.{i:02}", "C", ""]

    return ([row(i) + ["success"] for i in range(rng.randint(1, 9))],
            [row(i) for i in range(rng.randint(1, 9))])


def time_text(rng, at):
    """A moment in UTC in one of the forms that exports have."""
    zones = {"Z": 0, "z": 0, " UTC": 0, "": 0, "+00": 0, "-0000": 0, "+02": 120, "+0200": 120,
             "+02:00": 120, "-0530": -330, "+13:45": 825, "-11": -660}
    zone = rng.choice(list(zones))
    at += datetime.timedelta(minutes=zones[zone])
    clock = f"{at:%H:%M}"
    if at.second or at.microsecond or rng.random() < 0.7:
        clock += f":{at:%S}"
        if at.microsecond or rng.random() < 0.1:
            clock += f".{at.microsecond:06}"[:rng.choice([4, 4, 7])] + rng.choice(["", "000", "9999"])
    day = at.strftime(rng.choice(["%Y-%m-%d", "%Y/%m/%d"]))
    return day + rng.choice("T tT ") + clock + zone


def random_case(rng):
    """Few users, few moments, few receipts: everything meets everything."""
    step = rng.choice([1, 30, 120, 599, 600, 3600])
    users = ["af_1", " af_1 ", "af_2", "af_3", "AF_1", "", "ü"][:rng.randint(1, 7)]
    receipts = ["", ""] + [f"RCP-{i}" for i in range(rng.randint(1, 8))] + ["bad-1", " RCP-1 "]
    campaigns = ["Campaign_A", "campaign_a ", "B", "", "  ", "Prüfung", "two\nlines",
                 'say "C"']

    def moment():
        if rng.random() < 0.03:
            return rng.choice(["", "yesterday", "2025-02-30T00:00:00Z", "2025-10-20",
                               "2025-10-20T25:00:00Z"])
        at = datetime.datetime(2025, 10, 19, 23, 30) + datetime.timedelta(
            seconds=step * rng.randint(0, 6), days=rng.choice([0, 0, 0, 0, 1, -1]),
            milliseconds=rng.choice([0, 0, 0, 250]))
        return time_text(rng, at)

    def amount():
        return rng.choice(["4.99", "4,99", "4.99", "5.00", "4.98", "19.99", "0.000001", "10", " 1 ",
                           "+2.5", "0", "0.0", "-4.99", "1,234", "1.234,5", "abc", "", "1e3",
                           "NaN", "0.0000001", "3.3300000"])

    def event():
        return rng.choice(["purchase"] * 6 + ["af_purchase", "Purchase", "install", ""])

    def status():
        return rng.choice(["success"] * 8 + ["Success", "refund", "chargeback", "CANCELLED",
                                             "failed", ""])

    def count(most):
        return rng.randint(0, most)

    days = [str(DAY - datetime.timedelta(days=i)) for i in range(-1, 9)]
    tied = ties(rng) if rng.random() < 0.4 else ([], [])
    return {
        "purchases_raw": [RAW, *tied[0]] + [
            [rng.choice(users), event(), moment(), amount(), rng.choice(campaigns),
             rng.choice(receipts), status()] for _ in range(count(22))],
        "confirmed_purchases": [RAW[:-1], *tied[1]] + [
            [rng.choice(users), event(), moment(), amount(), rng.choice(campaigns),
             rng.choice(receipts)] for _ in range(count(12))],
        "costs_daily": [["date", "campaign", "ad_cost_usd"]] + [
            [rng.choice(days + ["soon", "2025/10/20", "2025/10-20"] * (rng.random() < 0.1)),
             rng.choice(campaigns),
             rng.choice(["1.5", "2", "7,25", "0", "0.01", "x", "100.333333"])]
            for _ in range(count(40))],
        "sessions": [["event_timestamp_utc", "user_id", "event_name"]] + [
            [moment(), rng.choice(["u1", "u2", " u2", "u3", ""]), "user_engagement"]
            for _ in range(count(8))],
    }


RAW = report_oracle.RAW_COLUMNS


def write_case(folder, case, line_end):
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in case.items():
        text = io.StringIO()
        csv.writer(text, lineterminator=line_end).writerows(rows)
        (folder / f"{name}.csv").write_bytes(text.getvalue().encode())


def random_settings(rng):
    settings = {}
    if rng.random() < 0.3:
        settings["receipt_pattern"] = "^RCP-[0-9]+$"
    if rng.random() < 0.3:
        settings["include_day"] = True
    if rng.random() < 0.3:
        settings["window_s"] = rng.choice([0, 1, 60, 3600])
    return settings


def what_was_met(output):
    met = {item["reason"] for item in load(output / "purchases_curated.json")["dropped"]}
    for item in load(output / "reconciliation.json")["details"]:
        met |= {item["type"], item["reason"]}
        met |= {key for key in ("amount_mismatch", "receipt_mismatch") if item[key]}
    return met


# ---- tests ----

@pytest.mark.asan
def test_the_sample_gives_what_the_definitions_say(tmp_path):
    folder, output = harness.shared("data", "reports"), tmp_path / "out"
    for day in (DAY, datetime.date(2025, 10, 21), datetime.date(2025, 10, 22)):
        report(folder, output, day, settings=SAMPLE_RULES)
        check_against_oracle(folder, output, day, SAMPLE_RULES)
    curated = load(output / str(DAY) / "purchases_curated.json")
    summary = curated["summary"]
    assert summary["rows_in"] == 34
    assert summary["kept"]["rows"] + sum(d["rows"] for d in summary["dropped"].values()) == 34
    lines = [item["line"] for item in curated["purchases"] + curated["dropped"]]
    assert sorted(lines) == list(range(2, 36))


@pytest.mark.asan
def test_random_inputs_give_what_the_definitions_say(tmp_path, dice):
    for number in range(dice.rounds(150)):
        folder, output = tmp_path / f"{number}", tmp_path / f"{number}" / "out"
        write_case(folder, random_case(dice), dice.choice(["\n", "\r\n"]))
        settings = random_settings(dice)
        report(folder, output, DAY, settings=settings)
        try:
            check_against_oracle(folder, output, DAY, settings)
        except AssertionError as e:
            raise AssertionError(f"case {number} of {dice}, {settings}: {e}") from None
        # Inputs that stop at the first rule would agree as well.
        met = what_was_met(output)
        for one in report_oracle.REASONS + [
                "matched", "amount_mismatch", "receipt_mismatch", "not_confirmed", "not_in_raw",
                "outside_window", "other_user", "dropped:reversed", "dropped:not_success"]:
            dice.reach(one, one in met)


@pytest.mark.asan
def test_times_are_read_as_defined_and_no_others(tmp_path, dice):
    """Each form that the manual has, and each with a character changed, left out or put in."""
    signs = "0123456789 -+:/.,TtZzUC"
    texts = ["2016-12-31T23:59:60Z", "2025-10-20 24:00", "2025-10-20T08:00:00+24:00",
             "2025-10-20T08:00:00+02:60", "2025-10-20 08:00:00 +02", "0001-01-01T00:00:00+00:01",
             "9999-12-31T23:59:59-00:01"]
    for _ in range(4000):
        at = datetime.datetime(2025, 10, 20) + datetime.timedelta(
            seconds=dice.randint(-10**8, 10**6), milliseconds=dice.choice([0, 250]))
        text = time_text(dice, at)
        texts.append(text)
        i = dice.randrange(len(text) + 1)
        texts.append(text[:i] + dice.choice(["", dice.choice(signs)]) + text[i + dice.randint(0, 1):])
    case = random_case(dice)
    case["purchases_raw"] = [RAW] + [[f"u{i}", "purchase", text, "1", "C", "", "success"]
                                     for i, text in enumerate(texts)]
    write_case(tmp_path / "in", case, "\n")
    report(tmp_path / "in", tmp_path / "out", DAY)
    curated = load(tmp_path / "out" / str(DAY) / "purchases_curated.json")
    seen = {row["line"]: row["event_time_utc"] for row in curated["purchases"]}
    dropped = {row["line"]: row["reason"] for row in curated["dropped"]}
    for line, text in enumerate(texts, 2):
        wanted = report_oracle.parse_time(text)
        dice.reach("read", wanted is not None)
        dice.reach("refused", wanted is None)
        if wanted is None:
            assert dropped.get(line) == "bad_time", (text, seen.get(line))
        else:
            assert seen.get(line) == report_oracle.moment_text(wanted), (text, dropped.get(line))
    assert dice.reached["refused"] > 1000 and dice.reached["read"] > 4000


def sample(tmp_path, *arguments):
    folder = tmp_path / "sample"
    out = subprocess.run([os.path.join(harness.ROOT, "scripts/make-report-csv"), str(folder),
                          *arguments], capture_output=True, text=True, timeout=60, check=True)
    return folder, json.loads(out.stdout)


def test_ten_planted_anomalies_are_found_and_nothing_else(tmp_path):
    folder, planted = sample(tmp_path)
    found = []
    for i in range(30):
        day = datetime.date(2025, 10, 2) + datetime.timedelta(days=i)
        report(folder, tmp_path / "out", day)
        campaigns = load(tmp_path / "out" / str(day) / "roas_anomaly.json")["campaigns"]
        found += [{"date": str(day), "campaign": row["campaign"]} for row in campaigns
                  if row["anomaly"]]
    assert found == planted["anomalies"] and len(found) == 10


def test_the_generated_sample_holds_what_it_says(tmp_path):
    folder, planted = sample(tmp_path)
    again, _ = sample(tmp_path / "again")
    for name in INPUTS:
        assert (folder / f"{name}.csv").read_bytes() == (again / f"{name}.csv").read_bytes()
    report(folder, tmp_path / "out", "2025-10-30")
    dropped = load(tmp_path / "out" / "purchases_curated.json")["summary"]["dropped"]
    kinds = planted["planted"]
    assert dropped["duplicate"]["rows"] == kinds["duplicate"] + kinds["duplicate_later"]
    assert dropped["reversed"]["rows"] == kinds["chargeback"] + kinds["refund"]
    assert dropped["reversal"]["rows"] == (kinds["chargeback"] + kinds["refund"] +
                                           kinds["partial_refund"])
    for reason, kind in (("bad_time", "bad_time"), ("bad_revenue", "bad_revenue"),
                         ("not_purchase", "other_event"), ("not_success", "failed"),
                         ("non_positive_revenue", "free")):
        assert dropped[reason]["rows"] == kinds[kind]
    reasons = [item["reason"]
               for item in load(tmp_path / "out" / "reconciliation.json")["details"]]
    assert "outside_window" in reasons and "dropped:reversed" in reasons
    # A stranger's receipt is in no row; a duplicate's is, in the row that was kept.
    assert reasons.count("not_in_raw") >= kinds["confirmation_foreign"]


def files_of(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_two_runs_give_the_same_bytes_but_for_the_time(tmp_path):
    folder, _ = sample(tmp_path)
    for name in ("one", "two"):
        report(folder, tmp_path / name, "2025-10-30")
        time.sleep(0.002)  # so that generated_at differs
    ones, twos = files_of(tmp_path / "one"), files_of(tmp_path / "two")
    assert [p.relative_to(tmp_path / "one") for p in ones] == \
        [p.relative_to(tmp_path / "two") for p in twos]
    for one, two in zip(ones, twos):
        a, b = one.read_text(), two.read_text()
        if one.suffix == ".json":
            times = [json.loads(text)["generated_at"] for text in (a, b)]
            assert times[0] != times[1]
            a = a.replace(times[0], "T", 1)
            b = b.replace(times[1], "T", 1)
        assert a == b, one


def test_a_csv_holds_the_items_of_its_json(tmp_path):
    folder, output = harness.shared("data", "reports"), tmp_path / "out"
    report(folder, output, DAY)
    for name, member in (("purchases_curated", "purchases"), ("reconciliation", "details"),
                         ("roas_d1", "campaigns"), ("roas_anomaly", "campaigns"),
                         ("arpdau_d1", "campaigns")):
        items = json.loads((output / f"{name}.json").read_text(), parse_float=str, parse_int=str)
        rows = list(csv.DictReader(io.StringIO((output / f"{name}.csv").read_text(), newline="")))
        assert len(rows) == len(items[member])
        for row, item in zip(rows, items[member]):
            assert set(row) <= set(item)
            for key, cell in row.items():
                value = item[key]
                assert cell == ("" if value is None else str(value).lower()
                                if isinstance(value, bool) else value)


def contents(output):
    """By path below the folder: a CSV's bytes, a JSON's members without the frame."""
    return {str(path.relative_to(output)): path.read_bytes() if path.suffix == ".csv"
            else without_frame(json.loads(path.read_text())) for path in files_of(output)
            if path.suffix in (".csv", ".json")}


def test_a_kill_in_the_middle_leaves_every_file_whole(tmp_path):
    sizes = ("--purchases", "15000", "--sessions", "15000")
    (old, _), (new, _) = sample(tmp_path / "a", *sizes), sample(tmp_path / "b", *sizes, "--seed",
                                                                "2")
    output = tmp_path / "out"
    began = time.monotonic()
    report(new, tmp_path / "reference", "2025-10-30")
    seconds = time.monotonic() - began
    report(old, output, "2025-10-30")
    before, after = contents(output), contents(tmp_path / "reference")
    assert all(before[name] != after[name] for name in before)
    killed = 0
    for i in range(16):
        began = time.monotonic()
        process = subprocess.Popen(command(new, output, "2025-10-30"), stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        try:
            process.wait(timeout=seconds * (i + 1) / 16)
            seconds = min(seconds, time.monotonic() - began)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            killed += 1
        process.wait()
        now = contents(output)
        for name in before:
            assert now[name] in (before[name], after[name]), (i, name)
    assert killed > 8
    # And the next run is none the worse for what the killed ones left.
    report(new, output, "2025-10-30")
    assert files_of(output) == sorted(output / name for name in after)
    assert contents(output) == after


def test_a_day_that_has_not_begun_is_refused(tmp_path):
    command_line = command(harness.shared("data", "reports"), tmp_path / "out", "2999-01-01")
    run = subprocess.run(command_line, capture_output=True, text=True, timeout=60)
    assert run.returncode == 1 and "2999-01-01 has not begun: today is" in run.stderr
    assert not (tmp_path / "out").exists()


# ---- folders and files that are in the way ----

@pytest.fixture(scope="module")
def odd_disk(tmp_path_factory):
    library = harness.preload("http/failing_disk.c", tmp_path_factory.mktemp("disk"))

    def run(output, **faults):
        return subprocess.run(
            command(harness.shared("data", "reports"), output, DAY), capture_output=True, text=True,
            timeout=60, env=dict(os.environ, LD_PRELOAD=library, **faults))
    return run


@pytest.mark.shipped
def test_without_links_the_newest_is_a_copy_at_the_root(tmp_path, odd_disk):
    done = odd_disk(tmp_path / "out", NO_LINKS="1")
    assert done.returncode == 0, done.stdout + done.stderr
    for path in files_of(tmp_path / "out" / str(DAY)):
        copy = tmp_path / "out" / path.name
        assert copy.read_bytes() == path.read_bytes() and copy.stat().st_nlink == 1
        assert copy.stat().st_mode & 0o777 == path.stat().st_mode & 0o777 == 0o644
    assert len(files_of(tmp_path / "out")) == 20


@pytest.mark.shipped
def test_a_full_disk_leaves_every_file_as_it_was(tmp_path, odd_disk):
    report(harness.shared("data", "reports"), tmp_path / "out", DAY)
    assert all(path.stat().st_nlink == 2 for path in files_of(tmp_path / "out"))
    before = {path: path.read_bytes() for path in files_of(tmp_path / "out")}
    done = odd_disk(tmp_path / "out", FULL_DISK=".roas_d1.json")
    assert done.returncode == 1 and "disk_full" in done.stderr
    odd_disk(tmp_path / "new", FULL_DISK=".roas_d1.json")
    assert os.listdir(tmp_path / "new") == []  # no folder of a day that has nothing
    assert {path: path.read_bytes() for path in files_of(tmp_path / "out")} == before


def test_runs_at_the_same_time_take_turns(tmp_path):
    folder = harness.shared("data", "reports")
    processes = [subprocess.Popen(command(folder, tmp_path / "out", DAY), stderr=subprocess.PIPE,
                                  stdout=subprocess.DEVNULL) for _ in range(8)]
    for process in processes:
        assert process.communicate(timeout=60)[1] == b"" and process.returncode == 0
    check_against_oracle(folder, tmp_path / "out", DAY)
    assert len(files_of(tmp_path / "out")) == 20


def test_what_has_the_name_of_an_input_and_is_no_file_is_named(tmp_path):
    folder = tmp_path / "in"
    (folder / "costs_daily.csv").mkdir(parents=True)
    os.mkfifo(folder / "purchases_raw.csv")
    done = subprocess.run(command(folder, tmp_path / "out"), capture_output=True, text=True,
                          timeout=20)
    assert done.returncode == 1
    assert "no_source" in done.stderr and "purchases_raw.csv is " in done.stderr
    done = subprocess.run(command(folder, tmp_path / "out", DAY), capture_output=True, text=True,
                          timeout=20)
    assert "roas_d1: not made: no_source" in done.stdout


def test_a_folder_in_the_way_costs_one_report(tmp_path):
    folder, output = harness.shared("data", "reports"), tmp_path / "out"
    (output / str(DAY) / "roas_d1.json").mkdir(parents=True)
    (output / "roas_anomaly.csv").mkdir()
    (output / ".profile.new").write_text("mine")
    (output / "2099-01-01").write_text("no folder of a later day")
    done = subprocess.run(command(folder, output, DAY), capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "roas_d1: not made: output_unwritable: publishing" in done.stdout
    names = {path.name for path in files_of(output)}
    assert {"arpdau_d1.json", "purchases_curated.json"} < names and "roas_d1.csv" not in names
    assert [name for name in names if name.endswith(".new")] == [".profile.new"]
    assert (output / "arpdau_d1.json").exists()

    (output / "2025-10-21").write_text("")
    done = subprocess.run(command(folder, output, "2025-10-21"), capture_output=True, text=True,
                          timeout=60)
    assert done.returncode == 1 and f"{output}/2025-10-21: Not a directory" in done.stderr


def test_what_a_killed_run_left_is_not_the_newest_day(tmp_path):
    folder, output = harness.shared("data", "reports"), tmp_path / "out"
    (output / "2031-01-01").mkdir(parents=True)
    for left in (output / "2031-01-01", output):
        (left / ".roas_d1.csv.new").write_text("half")
    report(folder, output, DAY)
    assert not (output / "2031-01-01").exists()
    assert {path.name for path in files_of(output)} == {path.name for path in
                                                        files_of(output / str(DAY))}


def test_a_payer_is_one_however_often_he_pays(tmp_path):
    (tmp_path / "purchases_raw.csv").write_text(
        "appsflyer_id,event_name,event_time_utc,revenue_usd,campaign,receipt_id,status\n"
        "a,purchase,2025-10-20T09:00:00Z,1,C,R1,success\n"
        "a,purchase,2025-10-20T10:00:00Z,1,C,R2,success\n"
        "b,purchase,2025-10-21T10:00:00Z,1,C,R3,success\n")
    head, row = "event_timestamp_utc,user_id,event_name\n", "2025-10-20T10:00:00Z,a,open\n"
    for sessions, codes in ((head + row, []), (head, ["payers_exceed_dau"])):
        (tmp_path / "sessions.csv").write_text(sessions)
        subprocess.run(command(tmp_path, tmp_path / "out", DAY), capture_output=True, timeout=60)
        made = load(tmp_path / "out" / "arpdau_d1.json")
        assert [warning["code"] for warning in made["warnings"]] == codes


def test_packed_files_and_utf_16_are_read_like_plain_ones(tmp_path):
    folder = harness.shared("data", "reports")
    plain = {name: open(os.path.join(folder, f"{name}.csv"), "rb").read() for name in INPUTS}
    # Packed, it is less than half, which is more than a limit of twice the file would take.
    assert len(gzip.compress(plain["purchases_raw"])) * 2 < len(plain["purchases_raw"])
    report(folder, tmp_path / "plain", DAY)
    for form, change in (("gzip", gzip.compress),
                         ("utf_16", lambda data: data.decode().encode("utf-16"))):
        (tmp_path / form).mkdir()
        for name, data in plain.items():
            (tmp_path / form / f"{name}.csv").write_bytes(change(data))
        report(tmp_path / form, tmp_path / form / "out", DAY)
        assert contents(tmp_path / form / "out") == contents(tmp_path / "plain")


def test_a_small_file_that_unpacks_without_an_end_is_refused(tmp_path):
    (tmp_path / "purchases_raw.csv").write_bytes(gzip.compress(b"a" * (151 << 20), 1))
    done = subprocess.run(command(tmp_path, tmp_path / "out", DAY), capture_output=True, text=True,
                          timeout=60)
    assert "purchases_curated: not made: too_large" in done.stdout, done.stdout + done.stderr
