"""`playmeter report` on small files whose figures were worked out by hand from the definitions of
the contract: each row of a table stands with what has to become of it."""

import json
import os
import subprocess

import harness
import pytest

DAY = "2025-10-20"
TEN = DAY + "T10:00:00Z"
HEADERS = {
    "purchases_raw": "appsflyer_id,event_name,event_time_utc,revenue_usd,campaign,receipt_id,status",
    "confirmed_purchases": "appsflyer_id,event_name,event_time_utc,revenue_usd,campaign,receipt_id",
    "costs_daily": "date,campaign,ad_cost_usd",
    "sessions": "event_timestamp_utc,user_id,event_name",
}
RULES = 'reports:\n  receipt_pattern: "^RCP-[0-9]+$"\n'


class Desk:
    def __init__(self, folder):
        self.folder, self.output = folder, folder / "out"

    def write(self, name, rows):
        lines = [HEADERS[name]] + [",".join(f'"{cell}"' for cell in row) for row in rows]
        (self.folder / f"{name}.csv").write_text("".join(line + "\n" for line in lines))

    def run(self, *arguments, settings=None):
        if settings:
            (self.folder / "settings.yaml").write_text(settings)
            arguments += ("--config", str(self.folder / "settings.yaml"))
        return subprocess.run([harness.binary(), "report", "--input", str(self.folder),
                               "--output", str(self.output), *arguments],
                              capture_output=True, text=True, timeout=60)

    def load(self, name, day=None):
        folder = self.output / day if day else self.output
        return json.loads((folder / f"{name}.json").read_text())

    def purchases(self, rows, settings=None, day=DAY):
        """What became of each row, by its place: its reason, or the kept purchase."""
        self.write("purchases_raw", rows)
        self.run("--date", day, settings=settings)
        report = self.load("purchases_curated")
        became = {item["line"]: item["reason"] for item in report["dropped"]}
        became.update({item["line"]: item for item in report["purchases"]})
        assert sorted(became) == list(range(2, len(rows) + 2))
        summary = report["summary"]
        assert summary["rows_in"] == len(rows) == \
            summary["kept"]["rows"] + sum(drop["rows"] for drop in summary["dropped"].values())
        return [became[line] for line in sorted(became)]


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def row(time=TEN, revenue="1", event="purchase", receipt="", status="success", user="u",
        campaign="A"):
    return [user, event, time, revenue, campaign, receipt, status]


def test_the_first_reason_that_applies_is_the_reason(desk):
    bad = {"time": "x", "revenue": "x", "event": "x", "status": "x", "receipt": "x"}
    rows = [row(**bad),
            row(**{**bad, "time": TEN, "status": "refund"}),
            row(**{**bad, "time": TEN, "revenue": "-1", "status": " Refund "}),
            row(**{**bad, "time": TEN, "revenue": "-1"}),
            row(revenue="-1", status="pending", receipt="x"),
            row(revenue="-1", receipt="x"),
            row(revenue="-1", receipt="RCP-1"), row(revenue="0", receipt="RCP-1")]
    assert desk.purchases(rows, RULES) == [
        "bad_time", "bad_revenue", "reversal", "not_purchase", "not_success", "invalid_receipt",
        "non_positive_revenue", "non_positive_revenue"]


def test_revenue_has_one_separator_at_most(desk):
    amounts = {"9.99": 9.99, "9,99": 9.99, "1.234": 1.234, "1,2345": 1.2345, " 5 ": 5, "+5": 5,
               "00005": 5, "5.00": 5, "4.9900005": 4.99, "4.9900015": 4.990002, "1,234567": 1.234567,
               "1,234": None, "0,123": None, "1.234,56": None, "1,234.56": None, "1 234": None,
               "5.": None, ".5": None, "1e3": None, "": None, "NaN": None, "inf": None,
               "$5": None, "--5": None, "0x10": None, "1,2,3": None, "N/A": None}
    became = desk.purchases([row(revenue=text, user=f"u{i}") for i, text in enumerate(amounts)])
    assert {text: b if b == "bad_revenue" else b["revenue_usd"] for text, b in
            zip(amounts, became)} == {text: "bad_revenue" if amount is None else amount
                                      for text, amount in amounts.items()}


def test_times_are_rfc_3339_or_a_wall_clock_in_the_zone_of_the_dataset(desk):
    times = {"2025-10-20T10:00:00+02:00": "08:00:00Z", "2025-10-20T10:00:00.5Z": "10:00:00.500Z",
             "2025-10-20t10:00:00z": "10:00:00Z", " 2025-10-20T10:00:00Z ": "10:00:00Z",
             "2025-10-20 10:00:00": "15:30:00Z", "2025-10-20T10:00:00": "15:30:00Z",
             "2025-10-20 10:00": "15:30:00Z", "2025/10/20 10:00:00.250": "15:30:00.250Z",
             "2025-10-20 10:00:00Z": "10:00:00Z", "2025-10-20 10:00:00 UTC": "10:00:00Z",
             "2025/10/20 10:00 utc": "10:00:00Z", "2025-10-20 10:00:00+00": "10:00:00Z",
             "2025-10-20 10:00:00.246+0000": "10:00:00.246Z", "2025-10-20T10:00-0130": "11:30:00Z",
             "2025-10-20T24:00:00Z": None, "2025-10-20T10:60:00Z": None, "2025-10-20": None,
             "2025-10-20T23:59:60Z": None, "2025-02-29T00:00:00Z": None, "1760954400": None,
             "20/10/2025 10:00": None, "2025-10-20T10:00:00+25:00": None, "": None}
    columns = "".join(f"      - {{name: {name}, type: text}}\n"
                      for name in HEADERS["purchases_raw"].split(","))
    zone = f'datasets:\n  purchases_raw:\n    time_zone: "-05:30"\n    columns:\n{columns}'
    became = desk.purchases([row(time=text, user=f"u{i}") for i, text in enumerate(times)], zone)
    assert {text: b if b == "bad_time" else b["event_time_utc"] for text, b in
            zip(times, became)} == {text: "bad_time" if time is None else f"{DAY}T{time}"
                                    for text, time in times.items()}
    assert desk.load("purchases_curated")["definitions"]["time_zones"] == {"purchases_raw": "-05:30"}


def test_reversals_take_back_what_their_receipt_bought(desk):
    def bought(receipt, revenue="10", time=TEN, status="success"):
        return row(receipt=receipt, revenue=revenue, time=time, status=status)

    def back(receipt, revenue, time=TEN, event="purchase"):
        return row(receipt=receipt, revenue=revenue, time=time, status="refund", event=event)

    cases = [  # one receipt each; (row, what becomes of it): a reason, or (left, refunded)
        [(bought("R1"), "reversed"), (back("R1", "-10"), "reversal")],
        [(bought("R2"), (6, 4)), (back("R2", "-4"), "reversal")],
        [(bought("R3"), "reversed"), (back("R3", "-4"), "reversal"), (back("R3", "6"), "reversal")],
        [(back("R4", "-10", DAY + "T09:00:00Z"), "reversal"), (bought("R4"), "reversed")],
        [(bought("", "7"), (7, 0)), (back("", "-7"), "reversal")],
        [(bought("R5"), "reversed"), (bought("R5"), "reversed"), (back("R5", "-10"), "reversal")],
        [(bought("R6"), (6, 4)), (bought("R6"), "duplicate"), (back("R6", "-4"), "reversal")],
        [(bought("R7", status="pending"), "not_success"), (back("R7", "-10"), "reversal")],
        [(back("R8", "x"), "bad_revenue"), (bought("R8"), (10, 0))],
        [(back("R9", "-10", "x"), "bad_time"), (bought("R9"), (10, 0))],
        [(back("R10", "-11", event="af_refund"), "reversal"), (bought("R10"), "reversed")],
        [(back("R11", "0"), "reversal"), (bought("R11"), (10, 0))],
    ]
    pairs = [pair for case in cases for pair in case]
    became = desk.purchases([cells for cells, _ in pairs])
    assert [b if isinstance(b, str) else (b["revenue_usd"], b["refunded_usd"]) for b in became] == \
        [expected for _, expected in pairs]


def test_of_equal_purchases_the_earliest_is_kept(desk):
    rows = [(row(receipt="R1", time=DAY + "T11:00:00Z"), "duplicate"), (row(receipt=" R1 "), None),
            (row(user="a"), None), (row(user=" a "), "duplicate"),
            (row(user="a", event="PURCHASE"), "duplicate"), (row(user="a", revenue="1,00"), "duplicate"),
            (row(user="a", time=DAY + "T12:00:00+02:00"), "duplicate"),
            (row(user="a", campaign="B"), "duplicate"), (row(user="a", event="af_purchase"), None),
            (row(user="a", revenue="1.01"), None), (row(user="a", time=DAY + "T10:00:01Z"), None)]
    became = desk.purchases([cells for cells, _ in rows])
    assert [b if isinstance(b, str) else None for b in became] == [expected for _, expected in rows]


def test_campaigns_are_one_whatever_their_case(desk):
    names = ["straße", "STRASSE", " a ", "A", "", "istanbul", "ıSTANBUL", "été"]
    desk.write("purchases_raw", [row(campaign=name, user=name or "-") for name in names])
    desk.write("costs_daily", [[DAY, "strasse", "1"], [DAY, "a", "1"], [DAY, "A ", "2,5"],
                               [DAY, "neg", "-5"], [DAY, "zero", "0"], [DAY, "bad", "x"],
                               [DAY, "later", "1"], ["2025/10/20", "later", "1"]])
    desk.run("--date", DAY)
    report = desk.load("roas_d1")
    assert [list(c.values()) for c in report["campaigns"]] == [
        ["(NONE)", 1, 0, None, True], ["A", 2, 3.5, 0.5714285714, False],
        ["ISTANBUL", 2, 0, None, True], ["LATER", 0, 1, 0, False], ["NEG", 0, -5, None, True],
        ["STRASSE", 2, 1, 2, False], ["ZERO", 0, 0, None, True], ["ÉTÉ", 1, 0, None, True]]
    assert list(report["total"].values()) == [8, 0.5, 16, False]
    assert [w["detail"].split(":")[0] for w in report["warnings"]] == ["costs_daily line 7",
                                                                       "costs_daily line 9"]


def test_pairs_lie_within_the_window_and_a_cent(desk):
    bought = [("a", "10:00:00", "1", ""), ("b", "10:00:00", "1", ""), ("d", "10:00:00", "1", ""),
              ("d", "10:10:00", "1", ""), ("e", "10:00:00", "1", ""), ("g", "10:00:00", "5", "G"),
              ("h", "10:00:00", "5", "H"), ("k", "10:00:00", "5", "K"), ("J", "10:00:00", "5", "")]
    confirmed = [("a", "10:10:00", "1", ""), ("b", "10:10:00.001", "1", ""), ("d", "10:10:00", "1", ""),
                 ("d", "10:20:00", "1", ""), ("e", "09:59:00", "1", ""), ("e", "10:01:00", "1", ""),
                 ("g", "10:00:00", "5.01", "G"), ("h", "10:00:00", "5.010001", "X"),
                 ("k", "12:00:00", "5", "K"), ("j", "10:00:00", "5", "")]
    desk.write("purchases_raw", [row(f"{DAY}T{time}Z", revenue, user=user, receipt=receipt)
                                 for user, time, revenue, receipt in bought])
    desk.write("confirmed_purchases", [row(f"{DAY}T{time}Z", revenue, user=user, receipt=receipt)[:6]
                                       for user, time, revenue, receipt in confirmed])
    desk.run("--date", DAY)
    report = desk.load("reconciliation")
    pairs = [(d["af_line"], d["cf_line"], d["gap_s"], d["amount_mismatch"], d["receipt_mismatch"])
             for d in report["details"] if d["type"] == "matched"]
    assert sorted(pairs) == [(2, 2, 600, False, False), (4, 4, 600, False, False),
                             (5, 5, 600, False, False), (6, 6, 60, False, False),
                             (7, 8, 0, False, False), (8, 9, 0, True, True)]
    assert sorted((d["cf_line"], d["reason"]) for d in report["details"]
                  if d["type"] == "confirmed_only") == [
        (3, "not_in_raw"), (7, "not_in_raw"), (10, "outside_window"), (11, "not_in_raw")]
    assert [w["matched"] for w in report["by_window"]] == [4, 4, 4, 6, 7]


def anomaly_inputs(desk, campaigns):
    """{name: (revenue on D-1, cost on D-1 or None, [revenue on the day before, ...])}; a day of the
    history that is None had no cost."""
    purchases, costs = [], []
    for name, (revenue, cost, history) in campaigns.items():
        days = [(20, revenue, cost)] + [(19 - i, h, h if h is None else "100")
                                        for i, h in enumerate(history)]
        for day, earned, spent in days:
            if earned:
                purchases.append(row(f"2025-10-{day}T10:00:00Z", earned, user=name, campaign=name))
            if spent is not None:
                costs.append([f"2025-10-{day}", name, spent])
    desk.write("purchases_raw", purchases)
    desk.write("costs_daily", costs)


def test_an_anomaly_is_below_half_of_the_mean_and_not_at_it(desk):
    week = ["100"] * 7
    anomaly_inputs(desk, {"BELOW": ("49.999999", "100", week), "EXACT": ("50", "100", week),
                          "THREE": ("1", "100", week[:3]), "TWO": ("1", "100", week[:2]),
                          "EIGHTH": ("1", "100", [None] * 5 + week[:3]), "FREE": ("1", "0", week),
                          "NONE": ("1", None, week), "NOTHING": ("", "100", week),
                          "ZERO": ("", "100", ["0"] * 7)})
    desk.run("--date", DAY)
    def found():
        return {c["campaign"]: (c["days"], c["anomaly"], c["reason"])
                for c in desk.load("roas_anomaly")["campaigns"]}
    assert found() == {
        "BELOW": (7, True, None), "EXACT": (7, False, None), "THREE": (3, True, None),
        "TWO": (2, None, "not_enough_history"), "EIGHTH": (2, None, "not_enough_history"),
        "FREE": (7, None, "no_cost"), "NONE": (7, None, "no_cost"), "NOTHING": (7, True, None),
        "ZERO": (7, False, None)}
    desk.run("--date", DAY, settings="reports:\n  include_day: true\n")
    assert found()["BELOW"] == (8, False, None) and found()["TWO"] == (3, True, None)


def test_users_are_counted_once_and_rows_without_one_not_at_all(desk):
    desk.write("sessions", [[DAY + "T00:00:00Z", "u1", "x"], [DAY + "T23:59:59.999Z", " u1 ", "x"],
                            [TEN, "U1", "x"], ["2025-10-21T00:00:00Z", "u9", "x"], [TEN, " ", "x"],
                            ["bad", "u2", "x"]])
    desk.write("purchases_raw", [row(user="a"), row(user="b", campaign="B"), row(user="c"),
                                 row("2025-10-19T10:00:00Z", user="c")])
    desk.run()
    report = desk.load("arpdau_d1")
    assert report["date"] == DAY  # the day before the newest session
    assert report["total"] == {"revenue_usd": 3, "dau": 2, "arpdau": 1.5}
    assert [list(c.values()) for c in report["campaigns"]] == [["A", 2, 2, 1], ["B", 1, 2, 0.5]]
    assert [w["code"] for w in report["warnings"]] == ["payers_exceed_dau", "bad_row", "bad_row"]


def test_the_newest_day_is_that_of_the_input_that_is_there(desk):
    desk.write("purchases_raw", [row()])
    assert f"{desk.output}/2025-10-19/purchases_curated.json" in desk.run().stdout
    os.remove(desk.folder / "purchases_raw.csv")
    desk.write("sessions", [["2025-10-22T00:00:00Z", "u", "x"]])
    assert desk.run().returncode == 1  # nothing but sessions makes no report
    desk.write("purchases_raw", [row()])
    assert f"{desk.output}/2025-10-21/arpdau_d1.json" in desk.run().stdout


def test_what_keeps_the_day_from_being_found_is_said(desk):
    (desk.folder / "purchases_raw.csv").write_text("AppsFlyer ID,Event Name,Event Time,"
                                                   "Event Revenue USD,Campaign,State\na,b,c,1,d,e\n")
    done = desk.run()
    assert done.returncode == 1 and "missing_columns" in done.stderr
    assert "'receipt_id', 'status'" in done.stderr


def test_an_export_of_appsflyer_with_receipt_and_status_is_taken(desk):
    (desk.folder / "purchases_raw.csv").write_text(
        "Install Time,Event Time,Event Name,Event Revenue,Event Revenue USD,Campaign,Campaign ID,"
        "AppsFlyer ID,Platform,receipt_id,status\n"
        "2025-10-01 00:00:00,2025-10-20 10:00:00,af_purchase,4.5,4.987654321,Camp,7,16-1,ios,,success\n")
    done = desk.run("--date", DAY)
    item, = desk.load("purchases_curated")["purchases"]
    assert [item["appsflyer_id"], item["event_time_utc"], item["revenue_usd"], item["campaign"]] == \
        ["16-1", TEN, 4.987654, "CAMP"], done.stdout


def test_what_is_no_file_is_refused_and_the_rest_is_made(desk):
    desk.write("purchases_raw", [row()])
    os.mkdir(desk.folder / "costs_daily.csv")
    os.mkfifo(desk.folder / "sessions.csv")
    done = desk.run("--date", DAY)
    assert done.returncode == 1
    for name, report in (("costs_daily", "roas_d1"), ("sessions", "arpdau_d1")):
        assert f"{report}: not made: no_source: {desk.folder}/{name}.csv is a folder, a pipe or a device" \
            in done.stdout
    assert desk.load("purchases_curated")["summary"]["kept"]["rows"] == 1


def test_a_bad_file_does_not_flood_the_terminal(desk):
    desk.write("purchases_raw", [row()])
    desk.write("sessions", [["x", "u", "x"]] * 250)
    done = desk.run("--date", DAY)
    assert [line for line in done.stdout.splitlines() if "bad_row" in line][3:] == [
        "  bad_row: and 97 more, named in the file's warnings",
        "  more_bad_rows: sessions: 250 rows cannot be used; the first 100 of them are named"]
    assert len(desk.load("arpdau_d1")["warnings"]) == 102


def test_the_root_has_the_newest_of_each_report(desk):
    desk.write("purchases_raw", [row()])
    desk.write("costs_daily", [[DAY, "A", "1"]])
    desk.run("--date", DAY)
    os.rename(desk.folder / "costs_daily.csv", desk.folder / "kept")
    desk.run("--date", "2025-10-21")
    assert (desk.load("roas_d1")["date"], desk.load("purchases_curated")["date"]) == (DAY, "2025-10-21")
    desk.write("costs_daily", [[DAY, "A", "2"]])
    desk.run("--date", DAY)  # once more, corrected
    assert desk.load("roas_d1")["total"]["ad_cost_usd"] == 2
    assert desk.load("purchases_curated")["date"] == "2025-10-21"


def test_what_a_killed_run_left_is_tidied_by_the_next(desk):
    left = desk.output / "2025-10-25"
    left.mkdir(parents=True)
    (left / ".roas_d1.json.new").write_text("{")
    desk.write("purchases_raw", [row()])
    desk.run("--date", DAY)
    assert not left.exists()
    assert desk.load("purchases_curated")["date"] == DAY


def test_a_folder_that_is_not_there_is_named(desk):
    desk.folder = desk.folder / "nowhere"
    done = desk.run()
    assert done.returncode == 1
    assert f"no_source: --input {desk.folder}: No such file or directory" in done.stderr


def test_an_output_that_is_no_folder_is_named(desk):
    desk.write("purchases_raw", [row()])
    desk.output.write_text("")
    done = desk.run()
    assert done.returncode == 1 and desk.output.read_text() == ""
    assert f"making the folder {desk.output}: File exists" in done.stderr
