"""sgp-webhook limits: the instance type table, as text and as JSON."""
import json

import pytest

M5 = {
    "m5.12xlarge": 54,
    "m5.16xlarge": 107,
    "m5.24xlarge": 107,
    "m5.2xlarge": 38,
    "m5.4xlarge": 54,
    "m5.8xlarge": 54,
    "m5.large": 9,
    "m5.metal": 120,
    "m5.xlarge": 18,
}


def types_of(done):
    return {row["type"]: row["branchInterfaces"] for row in json.loads(done.stdout)["types"]}


def test_text(sgp):
    done = sgp("limits", "t3.large", "m5.large", "m5.16xlarge", "m5.large")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "INSTANCE TYPE  BRANCH INTERFACES  NOTE\n"
        "m5.16xlarge                  107\n"
        "m5.large                       9\n"
        "t3.large                       0  no branch interfaces\n"
    )


def test_columns_fit_the_longest_name(sgp):
    heading, *rows = sgp("limits").stdout.splitlines()
    column = heading.index("  BRANCH INTERFACES") + len("  BRANCH INTERFACES")
    assert len(rows) > 1000
    assert all(row[:column].split()[1].isdigit() and row[column:] in ("", "  no branch interfaces") for row in rows)


@pytest.mark.parametrize(
    "args, types",
    [(["m5"], M5), (["m5.large"], {"m5.large": 9}), (["m5", "m5.large"], M5), (["t3.nano"], {"t3.nano": 0})],
)
def test_json(sgp, args, types):
    done = sgp("limits", "-o", "json", *args)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 1
    assert types_of(done) == types


def test_all_types(sgp):
    types = types_of(sgp("limits", "--output=json"))
    assert len(types) > 1000
    assert list(types) == sorted(types)
    assert sum(1 for branches in types.values() if branches) > 1000


@pytest.mark.parametrize("unknown", ["m5.", "m", "m5.larg", "m5.large.", "M5.large", "", "*"])
def test_unknown_types(sgp, unknown):
    done = sgp("limits", unknown)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"sgp-webhook: limits: no instance type or family '{unknown}' in the table\n"


def test_known_types_are_printed_beside_unknown_ones(sgp):
    done = sgp("limits", "x9.huge", "m5.large", "-o", "json")
    assert (done.returncode, types_of(done)) == (1, {"m5.large": 9})
    assert done.stderr == "sgp-webhook: limits: no instance type or family 'x9.huge' in the table\n"


@pytest.mark.parametrize(
    "args, message",
    [
        (["-o", "junit"], "--output: 'junit' is not text or json"),
        (["--table", "x"], "--table: no such option; see sgp-webhook limits --help"),
    ],
)
def test_unusable_options(sgp, args, message):
    done = sgp("limits", *args)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"sgp-webhook: {message}\n")


def test_help(sgp):
    done = sgp("limits", "--help")
    assert done.returncode == 0
    assert "Exit codes: 0 done, 1 a TYPE is not known, 2 unusable options." in done.stdout
