"""The same questions answered a second time, from the CSV, by code that shares nothing with the
product: Python's csv module, plain lists, exact fractions.  Slow and obvious on purpose."""

import ast
import csv
import datetime
import functools
import math
from fractions import Fraction

NULLS = {"NA", "N/A", "NULL", "null", "NaN", "nan", "\\N"}

# column: (header, type), in the order of the shipped games dataset
GAMES = {
    "app_id": ("AppID", "integer"),
    "name": ("Name", "text"),
    "release_date": ("Release date", "date"),
    "required_age": ("Required age", "integer"),
    "price": ("Price", "real"),
    "dlc_count": ("DLC count", "integer"),
    "about_game": ("About the game", "text"),
    "supported_languages": ("Supported languages", "list"),
    "windows": ("Windows", "boolean"),
    "mac": ("Mac", "boolean"),
    "linux": ("Linux", "boolean"),
    "positive": ("Positive", "integer"),
    "negative": ("Negative", "integer"),
    "score_rank": ("Score rank", "integer"),
    "developers": ("Developers", "list"),
    "publishers": ("Publishers", "list"),
    "categories": ("Categories", "list"),
    "genres": ("Genres", "list"),
    "tags": ("Tags", "list"),
}
MEASURES = ["price", "dlc_count", "positive", "negative"]
SUFFIXES = {"inc", "inc.", "llc", "llc.", "l.l.c.", "ltd", "ltd.", "gmbh", "co.", "s.a.", "s.l.",
            "s.r.l."}


def fold_char(c):
    """Simple case folding: one code point to one code point."""
    if c == "\u0130":
        return c
    folded = c.casefold()
    if len(folded) == 1:
        return folded
    lower = c.lower()
    return lower if len(lower) == 1 else c


# Kept: every question folds every cell of its columns again, which took two thirds of the time.
@functools.cache
def fold(s):
    return "".join(map(fold_char, s))


def parse_date(cell):
    for form in ("%b %d, %Y", "%b %Y", "%Y-%m-%d"):
        try:
            return datetime.datetime.strptime(cell, form).date()
        except ValueError:
            pass
    raise ValueError(cell)


def split_list(cell, joins):
    cell = cell.strip()
    if cell.startswith("[") and cell.endswith("]"):
        try:
            items = ast.literal_eval(cell)
            if all(isinstance(i, str) for i in items):
                return items
        except (ValueError, SyntaxError):
            pass
    items, end = [], 0
    for part in cell.split(","):
        start, end = end, end + len(part) + 1
        if not part.strip():
            continue
        if joins and items and part.strip().lower() in SUFFIXES:
            # as it stands in the cell, with or without a blank behind the comma
            items[-1] = (items[-1][0], end - 1)
        else:
            items.append((start, end - 1))
    return [cell[i:j].strip() for i, j in items]


def parse_cell(column, kind, cell):
    if kind == "text":
        return cell
    if kind == "list":
        return (cell, split_list(cell, column in ("developers", "publishers")))
    cell = cell.strip()
    if cell == "" or cell in NULLS:
        return None
    if kind == "integer":
        value = Fraction(cell)
        assert value.denominator == 1
        return int(value)
    if kind == "real":
        return float(cell)
    if kind == "boolean":
        return {"true": True, "false": False, "yes": True, "no": False}[cell.lower()]
    return parse_date(cell)


def match_text(value, op, text):
    v, t = fold(value), fold(text)
    several = [fold(p) for p in text.split(",")]
    return {
        "exact": lambda: v == t,
        "not": lambda: v != t,
        "gt": lambda: v.encode() > t.encode(),
        "gte": lambda: v.encode() >= t.encode(),
        "lt": lambda: v.encode() < t.encode(),
        "lte": lambda: v.encode() <= t.encode(),
        "contains": lambda: t in v,
        "notcontains": lambda: t not in v,
        "startswith": lambda: v.startswith(t),
        "endswith": lambda: v.endswith(t),
        "in": lambda: v in several,
        "notin": lambda: v not in several,
    }[op]()


def match_list(value, op, text):
    raw, elements = fold(value[0]), [fold(e) for e in value[1]]
    t = fold(text)
    several = [fold(p) for p in text.split(",")]
    return {
        "contains": lambda: t in raw,
        "notcontains": lambda: t not in raw,
        "has": lambda: t in elements,
        "exact": lambda: t in elements,
        "not": lambda: t not in elements,
        "in": lambda: any(s in elements for s in several),
        "notin": lambda: not any(s in elements for s in several),
        "startswith": lambda: any(e.startswith(t) for e in elements),
        "endswith": lambda: any(e.endswith(t) for e in elements),
    }[op]()


class Table:
    """Rows as dicts of typed values; a list is (raw text, elements)."""

    def __init__(self, path, columns=None, key="AppID"):
        self.columns = columns or GAMES
        csv.field_size_limit(1 << 24)
        with open(path, newline="", encoding="utf-8-sig") as f:
            raw = list(csv.DictReader(f))
        last = {row[key]: i for i, row in enumerate(raw)}
        self.rows = [{c: parse_cell(c, t, row[h]) for c, (h, t) in self.columns.items()}
                     for i, row in enumerate(raw) if last[row[key]] == i]

    def kind(self, column):
        return self.columns[column][1]

    def matches(self, row, column, op, text):
        kind, value = self.kind(column), row[column]
        if op in ("isnull", "notnull"):
            return (value is None) == ((op == "isnull") == (text != "false"))
        if value is None:
            return False
        if op == "":
            op = "contains" if kind in ("text", "list") else "exact"
        if kind == "list":
            return match_list(value, op, text)
        if kind == "text":
            return match_text(value, op, text)
        several = text.split(",") if op in ("in", "notin") else [text]
        if kind == "boolean":
            several = [{"1": "true", "0": "false"}.get(t, t) for t in several]
        wanted = [parse_cell(column, kind, t) for t in several]
        return {
            "exact": lambda: value == wanted[0],
            "not": lambda: value != wanted[0],
            "gt": lambda: value > wanted[0],
            "gte": lambda: value >= wanted[0],
            "lt": lambda: value < wanted[0],
            "lte": lambda: value <= wanted[0],
            "in": lambda: value in wanted,
            "notin": lambda: value not in wanted,
        }[op]()

    def select(self, filters):
        """filters: list of (column, op, text).  Row indexes in file order."""
        return [i for i, row in enumerate(self.rows)
                if all(self.matches(row, c, o, t) for c, o, t in filters)]

    def sort(self, selected, keys):
        """keys: list of (column, descending).  Nulls last, file order as tie-break."""
        def order(i, column):
            value = self.rows[i][column]
            if isinstance(value, tuple):
                value = value[0]
            return fold(value).encode() if isinstance(value, str) else value

        out = list(selected)
        for column, descending in reversed(keys):
            some = [i for i in out if self.rows[i][column] is not None]
            none = [i for i in out if self.rows[i][column] is None]
            # reverse=True keeps equal items in their order, too
            some.sort(key=lambda i, c=column: order(i, c), reverse=descending)
            out = some + none
        return out

    def as_json(self, i):
        def show(value):
            if isinstance(value, tuple):
                return value[1]
            return value.isoformat() if isinstance(value, datetime.date) else value

        return {column: show(value) for column, value in self.rows[i].items()}

    def values(self, selected, column):
        return [self.rows[i][column] for i in selected if self.rows[i][column] is not None]


def percentile(values, p):
    """NumPy's linear method, in exact arithmetic."""
    ordered = sorted(Fraction(v) for v in values)
    at = Fraction(p) / 100 * (len(ordered) - 1)
    low = math.floor(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)


def root(x):
    """Square root of a non-negative Fraction, to far more than double precision."""
    bits = max(x.denominator.bit_length() - x.numerator.bit_length(), 0) // 2 + 200
    return Fraction(math.isqrt((x.numerator << 2 * bits) // x.denominator), 1 << bits)


def statistics(values, ddof=0):
    """Every numeric aggregate as exact fractions (None where undefined)."""
    n = len(values)
    out = dict.fromkeys(["min", "max", "range", "sum", "mean", "median", "variance", "std_dev",
                         "iqr", "skewness", "kurtosis"])
    if n == 0:
        return out
    exact = [Fraction(v) for v in values]
    mean = sum(exact) / n
    out.update(min=min(exact), max=max(exact), range=max(exact) - min(exact), sum=sum(exact),
               mean=mean, median=percentile(values, 50),
               iqr=percentile(values, 75) - percentile(values, 25))
    m2 = sum((x - mean) ** 2 for x in exact) / n
    if n > ddof:
        out["variance"] = m2 * n / (n - ddof)
        out["std_dev"] = root(out["variance"])
    # What is not above it counts as zero there.
    if m2 > (mean / 10**15) ** 2:
        out["skewness"] = sum((x - mean) ** 3 for x in exact) / n / (m2 * root(m2))
        out["kurtosis"] = sum((x - mean) ** 4 for x in exact) / n / m2**2 - 3
    return out


def is_close(got, want, scale=1.0):
    """1e-9 relative, or 1e-12 of the column's scale near zero."""
    if got is None or want is None:
        return got is None and want is None
    got, want = Fraction(got), Fraction(want)
    return abs(got - want) <= max(abs(want) / 10**9, Fraction(scale) / 10**12)
