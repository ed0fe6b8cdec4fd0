"""A strict reader of Prometheus' text format, version 0.0.4, which also holds names against the naming rules."""

import math
import re

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"')
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("",), "gauge": ("",)}
# What is measured is told in base units: these are others' names.
OTHER_UNITS = ("_ms", "_milliseconds", "_microseconds", "_us", "_minutes", "_hours", "_kb", "_kib", "_mb", "_mib",
               "_percent", "_kilobytes", "_megabytes")


class Malformed(Exception):
    pass


class Family:
    def __init__(self, name, help_text):
        self.name, self.help, self.type = name, help_text, None
        self.samples = {}  # by (suffix, labels as a sorted tuple of pairs)


def need(condition, what):
    if not condition:
        raise Malformed(what)


def read_labels(text):
    """The labels of `{...}`, as they are written, and nothing left over."""
    labels = []
    while text:
        match = LABEL.match(text)
        need(match, f"no label: {text!r}")
        value = match[2].replace(r"\"", '"').replace(r"\n", "\n").replace(r"\\", "\\")
        labels.append((match[1], value))
        text = text[match.end():]
        need(not text or text.startswith(","), f"no comma: {text!r}")
        text = text[1:]
    names = [name for name, _ in labels]
    need(len(set(names)) == len(names), f"a label twice: {names}")
    return labels


def read_sample(line):
    match = re.fullmatch(r"([^{ ]+)(?:\{(.*)\})? (\S+)", line)
    need(match and NAME.fullmatch(match[1]), f"no sample: {line!r}")
    return match[1], read_labels(match[2] or ""), float(match[3].replace("Inf", "inf"))


def parse(text):
    """Families by name. Each begins with its HELP and its TYPE, and its samples follow, with no other's between."""
    need(text.endswith("\n"), "the last line is not ended")
    families, family = {}, None
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            _, _, name, help_text = line.split(" ", 3)
            need(NAME.fullmatch(name) and name not in families, f"a family twice, or no name: {line!r}")
            family = families[name] = Family(name, help_text)
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            need(family and family.name == name and family.type is None and not family.samples, f"misplaced: {line!r}")
            need(kind in SUFFIXES, f"unknown type: {line!r}")
            family.type = kind
        else:
            name, labels, value = read_sample(line)
            need(family and family.type and name.startswith(family.name), f"misplaced: {line!r}")
            suffix = name[len(family.name):]
            need(suffix in SUFFIXES[family.type], f"not of {family.name}: {line!r}")
            key = (suffix, tuple(sorted(labels)))
            need(key not in family.samples, f"a sample twice: {line!r}")
            family.samples[key] = value
    for each in families.values():
        check(each)
    return families


def check(family):
    need(family.samples, f"{family.name} has no sample")
    need(family.help and not family.help.endswith("."), f"{family.name}: {family.help!r}")
    need(family.name == family.name.lower() and "__" not in family.name, family.name)
    need((family.type == "counter") == family.name.endswith("_total"), f"{family.name} is a {family.type}")
    base = family.name.removesuffix("_total")
    need(not base.endswith(OTHER_UNITS), f"{family.name} is in no base unit")
    need(not base.endswith(("_count", "_sum", "_bucket", "_total")), f"{family.name} ends as a part of a histogram")
    need(not any(kind in family.name.split("_") for kind in ("counter", "gauge", "histogram")), family.name)
    for (_, labels), value in family.samples.items():
        need(not math.isnan(value), f"{family.name} is NaN")
        need(family.type == "gauge" or value >= 0, f"{family.name} is below 0")
        need(family.type == "histogram" or "le" not in dict(labels), f"{family.name} has a label le")
    if family.type == "histogram":
        check_histogram(family)


def check_histogram(family):
    """Ranges ascend, counts never fall, and the last of them is all."""
    series = {}
    for (suffix, labels), value in family.samples.items():
        rest = tuple(pair for pair in labels if pair[0] != "le")
        of = series.setdefault(rest, {"_bucket": []})
        if suffix == "_bucket":
            of["_bucket"].append((float(dict(labels)["le"].replace("Inf", "inf")), value))
        else:
            need("le" not in dict(labels), f"{family.name}{suffix} has a bound")
            of[suffix] = value
    for labels, of in series.items():
        bounds = [bound for bound, _ in of["_bucket"]]
        counts = [count for _, count in of["_bucket"]]
        need(bounds == sorted(set(bounds)) and bounds[-1] == math.inf, f"{family.name}{labels}: bounds {bounds}")
        need(counts == sorted(counts), f"{family.name}{labels}: counts fall: {counts}")
        need(of["_count"] == counts[-1] and of["_sum"] >= 0, f"{family.name}{labels}: {of}")
        need(of["_count"] > 0 or of["_sum"] == 0, f"{family.name}{labels}: {of}")


def value(families, name, suffix="", **labels):
    """One sample; 0 of a family or a sample that is not there, as a counter is before anything was counted."""
    family = families.get(name)
    return family.samples.get((suffix, tuple(sorted(labels.items()))), 0) if family else 0
