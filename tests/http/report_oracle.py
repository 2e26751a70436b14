"""The reports worked out plainly from their definitions in the manual (revenue-desk.md): exact
fractions, no care for time or memory, and matchings by trying all of them.  Nothing here is taken from the service.

reports(folder, day, settings) gives {name: document} without the frame; figures are Decimals.
"""

import csv
import datetime
import functools
import re
from collections import Counter, defaultdict
from decimal import Decimal
from fractions import Fraction

SETTINGS = {"purchase_events": ["purchase", "af_purchase"], "success_statuses": ["success"],
            "reversal_statuses": ["chargeback", "refund", "refunded", "cancelled"],
            "receipt_pattern": None, "window_s": 600, "anomaly_percent": 50, "include_day": False}
REASONS = ["bad_time", "bad_revenue", "reversal", "not_purchase", "not_success", "invalid_receipt",
           "non_positive_revenue", "reversed", "duplicate"]
RAW_COLUMNS = ["appsflyer_id", "event_name", "event_time_utc", "revenue_usd", "campaign",
               "receipt_id", "status"]
UTC = datetime.timezone.utc
LATE = datetime.datetime.max.replace(tzinfo=UTC)


def read(folder, name):
    """Rows as dicts, with the line they begin on."""
    rows = []
    with open(f"{folder}/{name}.csv", encoding="utf-8", newline="") as f:
        reader = csv.reader(f)
        header = next(reader)
        line = reader.line_num + 1
        for cells in reader:
            rows.append({"line": line, **dict(zip(header, cells))})
            line = reader.line_num + 1
    return rows


TIME = re.compile(r"(\d{4})([-/])(\d\d)\2(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?"
                  r"(?:(Z| UTC)|([+-])(\d\d)(?::?(\d\d))?)?", re.ASCII | re.IGNORECASE)


def parse_time(text):
    """None where it is no time; one without a zone is in UTC."""
    match = TIME.fullmatch(text.strip())
    if not match:
        return None
    year, _, month, day, hour, minute, second, fraction, _, sign, hours, minutes = match.groups("0")
    if int(hours) > 23 or int(minutes) > 59:
        return None
    try:
        clock = datetime.datetime(int(year), int(month), int(day), int(hour), int(minute),
                                  int(second), int(fraction[:3].ljust(3, "0")) * 1000, UTC)
        away = datetime.timedelta(hours=int(hours), minutes=int(minutes))
        return clock + away if sign == "-" else clock - away
    except (ValueError, OverflowError):
        return None


def parse_day(text):
    match = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", text.strip(), re.ASCII)
    try:
        return datetime.date(*map(int, match.groups())) if match else None
    except ValueError:
        return None


def parse_money(text):
    text = text.strip()
    match = re.fullmatch(r"([+-]?\d+)(?:([.,])(\d+))?", text, re.ASCII)
    if not match or (match[2] == "," and len(match[3]) == 3):
        return None
    # round() of a fraction goes to even
    return Fraction(round(Fraction(text.replace(",", ".")) * 10**6), 10**6)


def campaign_of(row):
    return row["campaign"].strip().upper() or "(NONE)"


def plain(amount):
    """A fraction that has a decimal, as it."""
    return Decimal(amount.numerator) / Decimal(amount.denominator)


def ratio(above, below):
    if below <= 0:
        return None
    scaled = Fraction(above) / Fraction(below) * 10**10
    return Decimal(round(scaled)) / 10**10  # round() of a fraction goes to even


def moment_text(moment):
    if moment is None:
        return None
    ms = moment.microsecond // 1000
    return f"{moment.year:04}-{moment:%m-%dT%H:%M:%S}" + (f".{ms:03}Z" if ms else "Z")


# ---- curated purchases ----

def has(words, cell):
    return cell.strip().casefold() in [word.casefold() for word in words]


def own_reason(row, settings):
    """The reasons that hang on the row alone."""
    pattern = settings["receipt_pattern"]
    if row["time"] is None:
        return "bad_time"
    if row["revenue"] is None:
        return "bad_revenue"
    if has(settings["reversal_statuses"], row["status"]):
        return "reversal"
    if not has(settings["purchase_events"], row["event_name"]):
        return "not_purchase"
    if not has(settings["success_statuses"], row["status"]):
        return "not_success"
    if row["receipt"] and pattern and not re.search(pattern, row["receipt"]):
        return "invalid_receipt"
    if row["revenue"] <= 0:
        return "non_positive_revenue"
    return None


def prepare(rows):
    for row in rows:
        row["time"] = parse_time(row["event_time_utc"])
        row["revenue"] = parse_money(row["revenue_usd"])
        row["user"], row["receipt"] = row["appsflyer_id"].strip(), row["receipt_id"].strip()
        row["refunded"] = Fraction(0)
        row["reason"] = None
    return rows


def by_time(rows):
    return sorted(rows, key=lambda row: (row["time"] or LATE, row["line"]))


def classify(rows, settings):
    for row in prepare(rows):
        row["reason"] = own_reason(row, settings)
    reversals = [row for row in rows if row["reason"] == "reversal" and row["receipt"]]
    for row in rows:
        taken = sum(abs(other["revenue"]) for other in reversals
                    if other["receipt"] == row["receipt"])
        if row["reason"] is None and taken > 0:
            if taken >= row["revenue"]:
                row["reason"] = "reversed"
            else:
                row["refunded"] = taken
    seen = set()
    for row in by_time(rows):
        if row["reason"] is not None:
            continue
        key = row["receipt"] or (row["user"], row["time"], row["event_name"].strip().casefold(),
                                 row["revenue"])
        if key in seen:
            row["reason"], row["refunded"] = "duplicate", Fraction(0)
        seen.add(key)
    for row in rows:
        row["revenue"] = (row["revenue"] or 0) - row["refunded"]
    return rows


def count_and_sum(rows):
    return {"rows": len(rows), "revenue_usd": plain(Fraction(sum(row["revenue"] for row in rows)))}


def kept(rows):
    return by_time([row for row in rows if row["reason"] is None])


def purchases_curated(rows):
    return {
        "summary": {"rows_in": len(rows), "kept": count_and_sum(kept(rows)),
                    "dropped": {reason: count_and_sum([row for row in rows
                                                       if row["reason"] == reason])
                                for reason in REASONS}},
        "purchases": [{"line": row["line"], "appsflyer_id": row["user"],
                       "event_name": row["event_name"],
                       "event_time_utc": moment_text(row["time"]),
                       "revenue_usd": plain(row["revenue"]),
                       "refunded_usd": plain(row["refunded"]), "campaign": campaign_of(row),
                       "receipt_id": row["receipt"]} for row in kept(rows)],
        "dropped": [{"line": row["line"], "reason": row["reason"],
                     **{name: row[name] for name in RAW_COLUMNS}}
                    for row in rows if row["reason"]],
    }


# ---- reconciliation ----

def prepare_confirmed(rows):
    prepare(rows)
    seen = set()
    for row in by_time(rows):
        if row["time"] is None:
            row["reason"] = "bad_time"
        elif row["revenue"] is None:
            row["reason"] = "bad_revenue"
        elif row["receipt"] in seen:
            row["reason"] = "duplicate"
        elif row["receipt"]:
            seen.add(row["receipt"])
    for row in rows:
        row["revenue"] = row["revenue"] or Fraction(0)
    return rows


def gap(x, y):
    return abs(x["time"] - y["time"])


def best_matching(left, right, window):
    """All matchings are tried, line by line of the left; of the best by pairs and gap the one
    with the smallest list.  Pairs of lines."""
    left = sorted(left, key=lambda row: row["line"])
    right = sorted(right, key=lambda row: row["line"])

    @functools.cache
    def best(i, taken):
        if i == len(left):
            return (0, datetime.timedelta(0), ())
        pairs, total, rest = best(i + 1, taken)
        options = [(pairs, total, ((float("inf"), None),) + rest)]
        for j, row in enumerate(right):
            if taken >> j & 1 or gap(left[i], row) > window:
                continue
            pairs, total, rest = best(i + 1, taken | 1 << j)
            options.append((pairs - 1, total + gap(left[i], row), ((row["line"], j),) + rest))
        return min(options)

    return [(row, right[j]) for row, (_, j) in zip(left, best(0, 0)[2]) if j is not None]


def match(purchases, confirmed, window_s):
    window = datetime.timedelta(seconds=window_s)
    pairs = [(p, c) for p in purchases for c in confirmed
             if p["receipt"] and p["receipt"] == c["receipt"] and p["user"] == c["user"] and
             gap(p, c) <= window]
    taken = {id(row) for pair in pairs for row in pair}
    groups = defaultdict(lambda: ([], []))
    for side, rows in enumerate((purchases, confirmed)):
        for row in rows:
            if id(row) not in taken:
                groups[row["user"]][side].append(row)
    for left, right in groups.values():
        pairs += best_matching(left, right, window)
    return pairs


def why_alone(row, others, nothing):
    """What became of the other side's row with the receipt."""
    same = [other for other in by_time(others)
            if row["receipt"] and other["receipt"] == row["receipt"]]
    same = [other for other in same if other["reason"] is None] or same
    if not same:
        return nothing
    if same[0]["reason"]:
        return "dropped:" + same[0]["reason"]
    return "outside_window" if same[0]["user"] == row["user"] else "other_user"


def detail(kind, purchase, confirmation, reason):
    row = purchase or confirmation
    both = purchase and confirmation
    return {
        "type": kind, "appsflyer_id": row["user"],
        "af_event_time_utc": moment_text(purchase and purchase["time"]),
        "cf_event_time_utc": moment_text(confirmation and confirmation["time"]),
        "gap_s": Decimal(gap(purchase, confirmation) // datetime.timedelta(milliseconds=1)) / 1000
        if both else None,
        "revenue_usd": plain(row["revenue"]),
        "af_line": purchase and purchase["line"], "cf_line": confirmation and confirmation["line"],
        "amount_mismatch": abs(purchase["revenue"] - confirmation["revenue"]) > Fraction(1, 100)
        if both else None,
        "receipt_mismatch": bool(purchase["receipt"] and confirmation["receipt"] and
                                 purchase["receipt"] != confirmation["receipt"])
        if both else None,
        "reason": reason,
    }


def sums(details):
    out = {}
    for kind in ("matched", "af_only", "confirmed_only"):
        amounts = [item["revenue_usd"] for item in details if item["type"] == kind]
        out[kind] = {"count": len(amounts), "revenue_usd": sum(amounts, Decimal(0))}
    return out


def rates(pairs, purchases, confirmed):
    return {"match_rate_af": ratio(pairs, purchases), "match_rate_confirmed":
            ratio(pairs, confirmed)}


def reconciliation(rows, all_confirmed, settings):
    purchases = kept(rows)
    confirmed = [row for row in all_confirmed if row["reason"] is None]
    pairs = match(purchases, confirmed, settings["window_s"])
    taken = {id(row) for pair in pairs for row in pair}
    details = [detail("matched", p, c, None) for p, c in pairs]
    details += [detail("af_only", row, None, why_alone(row, all_confirmed, "not_confirmed"))
                for row in purchases if id(row) not in taken]
    details += [detail("confirmed_only", None, row, why_alone(row, rows, "not_in_raw"))
                for row in confirmed if id(row) not in taken]
    days = defaultdict(list)
    for item in details:
        days[(item["af_event_time_utc"] or item["cf_event_time_utc"])[:10]].append(item)
    by_day = []
    for day in sorted(days):
        s = sums(days[day])
        count = s["matched"]["count"]
        by_day.append({"date": day, **s, **rates(count, count + s["af_only"]["count"],
                                                 count + s["confirmed_only"]["count"])})
    by_window = []
    for minutes in (1, 2, 5, 10, 30):
        count = len(match(purchases, confirmed, 60 * minutes))
        by_window.append({"window_min": minutes, "matched": count,
                          **rates(count, len(purchases), len(confirmed))})
    dropped = Counter(row["reason"] for row in all_confirmed if row["reason"])
    return {"summary": sums(details), **rates(len(pairs), len(purchases), len(confirmed)),
            "confirmed": {"rows_in": len(all_confirmed), "compared": len(confirmed),
                          "dropped": dict(dropped)},
            "by_day": by_day, "by_window": by_window, "details": details}


# ---- campaigns ----

def by_campaign_and_day(rows, costs):
    """Revenue and cost; what is missing has no row."""
    revenue, cost = defaultdict(Fraction), defaultdict(Fraction)
    for row in kept(rows):
        revenue[campaign_of(row), row["time"].date()] += row["revenue"]
    for row in costs:
        amount, day = parse_money(row["ad_cost_usd"]), parse_day(row["date"])
        if amount is not None and day is not None:
            cost[campaign_of(row), day] += amount
    return dict(revenue), dict(cost)


def roas_d1(revenue, cost, day):
    names = sorted({name for name, at in (*revenue, *cost) if at == day})
    rows, earned, spent = [], Fraction(0), Fraction(0)
    for name in names:
        r, c = revenue.get((name, day), Fraction(0)), cost.get((name, day), Fraction(0))
        earned, spent = earned + r, spent + c
        rows.append({"campaign": name, "revenue_usd": plain(r), "ad_cost_usd": plain(c),
                     "roas": ratio(r, c), "no_cost": c <= 0})
    return {"campaigns": rows,
            "total": {"revenue_usd": plain(earned), "ad_cost_usd": plain(spent),
                      "roas": ratio(earned, spent), "no_cost": spent <= 0}}


def roas_anomaly(revenue, cost, day, settings):
    before = [day - datetime.timedelta(days=i) for i in range(1, 8)]
    counted = before + [day] * settings["include_day"]
    names = {name for name, at in cost if at in before or at == day}
    names |= {name for name, at in revenue if at == day}
    rows = []
    for name in sorted(names):
        def roas(at, name=name):
            spent = cost.get((name, at), 0)
            return revenue.get((name, at), Fraction(0)) / spent if spent > 0 else None
        history = [roas(at) for at in counted if roas(at) is not None]
        mean = sum(history, Fraction(0)) / len(history) if history else None
        anomaly, reason = None, None
        if roas(day) is None:
            reason = "no_cost"
        elif len(history) < 3:
            reason = "not_enough_history"
        else:
            anomaly = roas(day) < mean * settings["anomaly_percent"] / 100
        rows.append({"campaign": name,
                     "roas_d1": None if roas(day) is None else ratio(roas(day), 1),
                     "avg7": None if mean is None else ratio(mean, 1), "days": len(history),
                     "anomaly": anomaly, "reason": reason})
    return {"campaigns": rows}


def arpdau_d1(rows, sessions, day):
    dau = set()
    for row in sessions:
        moment = parse_time(row["event_timestamp_utc"])
        if moment and moment.date() == day and row["user_id"].strip():
            dau.add(row["user_id"].strip())
    earned = defaultdict(Fraction)
    for row in kept(rows):
        if row["time"].date() == day:
            earned[campaign_of(row)] += row["revenue"]
    total = sum(earned.values(), Fraction(0))
    figures = lambda amount: {"revenue_usd": plain(amount), "dau": len(dau),
                              "arpdau": ratio(amount, len(dau))}
    return {"total": figures(total),
            "campaigns": [{"campaign": name, **figures(earned[name])} for name in sorted(earned)]}


def reports(folder, day, settings=None):
    settings = {**SETTINGS, **(settings or {})}
    rows = classify(read(folder, "purchases_raw"), settings)
    confirmed = prepare_confirmed(read(folder, "confirmed_purchases"))
    revenue, cost = by_campaign_and_day(rows, read(folder, "costs_daily"))
    return {
        "purchases_curated": purchases_curated(rows),
        "reconciliation": reconciliation(rows, confirmed, settings),
        "roas_d1": roas_d1(revenue, cost, day),
        "roas_anomaly": roas_anomaly(revenue, cost, day, settings),
        "arpdau_d1": arpdau_d1(rows, read(folder, "sessions"), day),
    }
