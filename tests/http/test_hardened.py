"""The program that is shipped carries what the compiler and the linker have against overruns; each
flag that the Makefile leaves out is missed here.  Read from the program itself, whatever built it."""

import re
import subprocess

import pytest

import harness

pytestmark = pytest.mark.shipped


def readelf(*what):
    return subprocess.run(["readelf", "-W", *what, harness.binary()], capture_output=True,
                          text=True, check=True, timeout=60).stdout


def segment_flags(name):
    found = re.search(rf"^ +{name}(?: +0x[0-9a-f]+){{5}} ([RWE ]{{3}})", readelf("-l"), re.M)
    return found[1].replace(" ", "") if found else None


def test_program_is_position_independent():
    assert re.search(r"Type: +DYN", readelf("-h"))
    assert re.search(r"\(FLAGS_1\).*\bPIE\b", readelf("-d"))


def test_stack_cannot_be_executed():
    assert segment_flags("GNU_STACK") == "RW"


def test_addresses_of_functions_cannot_be_written():
    """Full RELRO: read-only after start, and so all bound at the start."""
    assert segment_flags("GNU_RELRO") == "R"
    assert re.search(r"\(FLAGS\).*\bBIND_NOW\b", readelf("-d"))


def test_overruns_end_the_process():
    symbols = set(re.findall(r"UND (\w+)", readelf("--dyn-syms")))
    assert "__stack_chk_fail" in symbols
    # One for each way to write too much: by a length, by a format, by the kernel.
    assert {"__memcpy_chk", "__memset_chk", "__vsnprintf_chk"} <= symbols


def test_every_file_is_compiled_with_every_flag():
    """What the symbols do not show: a flag that one file lacks, or that leaves no trace on this kind
    of machine.  The compiler's options lie in the debug information, once for all files that share
    them.  How much is fortified gcc leaves out of them, so its recipe has to tell."""
    options = re.findall(r"\] +(.* -std=gnu17 .*)", readelf("-p", ".debug_str"))
    assert options, "the program does not tell how it was compiled"
    for one in options:
        for flag in ("-fstack-protector-strong", "-fstack-clash-protection", "-fsigned-char", "-fPIE"):
            assert flag in one.split(), one
    recipe = subprocess.run(["make", "-nB", "build/release/main.o"], cwd=harness.ROOT,
                            capture_output=True, text=True, check=True, timeout=60).stdout
    assert "-D_FORTIFY_SOURCE=3" in recipe.split(), recipe
