"""Compares docs/requirements.md with the code, the catalogue of checks and the tests. Usage: requirements.py [TREE]"""
import pathlib
import re
import sys

TREE = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[2])
TABLE = "docs/requirements.md"
COLUMNS = ["id", "source", "requirement", "covered by", "test", "state"]
ROOMS = ["base", "policy", "admission", "sources", "certs", "server"]
STATES = {"held": "", "open": "what it needs", "departs": "the reason"}
CHECK_ID = re.compile(r"`((?:policy|pod|node|dns|probe|fargate)-[a-z-]+)`")
TOKEN = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|(/\*.*?\*/|//[^\n]*)', re.DOTALL)


def catalogue():
    """The ids of admission/checks.c, in order."""
    return re.findall(r'\]\s*=\s*\{\s*STR_INIT\("([a-z-]+)"\)', (TREE / "admission/checks.c").read_text())


def read_rows(errors):
    rows, heading = [], None
    for number, line in enumerate((TREE / TABLE).read_text().splitlines(), 1):
        if not line.startswith("|") or re.fullmatch(r"[| :-]+", line):
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if heading is None:
            heading = cells
            if heading != COLUMNS:
                errors.append(f"{TABLE}:{number}: the columns are to be: {', '.join(COLUMNS)}")
        elif len(cells) != len(COLUMNS):
            errors.append(f"{TABLE}:{number}: {len(cells)} cells, there are {len(COLUMNS)} columns")
        else:
            rows.append((f"{TABLE}:{number}", dict(zip(COLUMNS, cells))))
    return rows


def ids_in_code():
    """Where each id stands in a comment: {"R2": ["admission/validate_policy.c:35"]}."""
    found = {}
    for room in ROOMS:
        for path in sorted((TREE / room).glob("*.[ch]")):
            text = path.read_text()
            for comment in TOKEN.finditer(text):
                for name in re.finditer(r"\bR[0-9]+\b", comment[1] or ""):
                    line = text.count("\n", 0, comment.start(1) + name.start()) + 1
                    found.setdefault(name[0], []).append(f"{path.relative_to(TREE)}:{line}")
    return found


def case_exists(text, case):
    """A case of a parametrized test: its name stands in the file, or begins the name of a file of test data."""
    return case in text or any(path.name.startswith(case) for path in (TREE / "tests/data").rglob("*"))


def missing_test(reference):
    """What is wrong with a test that is named as tests/unit/test_x.c:name or tests/integration/test_x.py::name[case]."""
    named = re.fullmatch(r"(tests/[\w/-]+\.(?:c|py)):{1,2}(\w+)(?:\[(.+)\])?", reference)
    if not named:
        return "is neither FILE.c:NAME nor FILE.py::NAME[CASE]"
    path, name, case = TREE / named[1], named[2], named[3]
    if not path.is_file():
        return "there is no such file"
    text = path.read_text()
    shape = rf"^START_TEST\({name}\)" if path.suffix == ".c" else rf"^def {name}\("
    if not name.startswith("test_") and path.suffix == ".py" or not re.search(shape, text, re.MULTILINE):
        return f"there is no test {name} in it"
    return f"there is no case {case}" if case and not case_exists(text, case) else None


def check_row(where, row, code, checks, errors):
    state, _, reason = row["state"].partition(":")
    name = row["id"]
    if not re.fullmatch(r"R[1-9][0-9]*", name):
        errors.append(f"{where}: '{name}' is no id, R and a number is one")
    if state not in STATES or bool(STATES.get(state)) != bool(reason.strip()):
        errors.append(f"{where}: {name}: state '{row['state']}'; use " +
                      ", ".join(f"{key}: {value}" if value else key for key, value in STATES.items()))
    for column in ("source", "requirement", "covered by"):
        if not row[column]:
            errors.append(f"{where}: {name}: nothing stands under '{column}'")
    for check in CHECK_ID.findall(row["covered by"]):
        if check not in checks and state != "open":
            errors.append(f"{where}: {name}: there is no check {check} in admission/checks.c")
    tests = re.findall(r"`([^`]+)`", row["test"])
    if state != "open" and not tests:
        errors.append(f"{where}: {name}: {state}, but no test proves it")
    if state != "open" and name not in code:
        errors.append(f"{where}: {name}: {state}, but no comment in the code names it")
    for test in tests:
        wrong = missing_test(test)
        if wrong:
            errors.append(f"{where}: {name}: {test}: {wrong}")


def main():
    errors = []
    rows = read_rows(errors)
    code, checks = ids_in_code(), catalogue()
    if not rows or not checks:
        errors.append(f"{TABLE}: no rows in it" if not rows else "admission/checks.c: no checks in it")
    seen = {}
    for where, row in rows:
        if row["id"] in seen:
            errors.append(f"{where}: {row['id']} is the id of {seen[row['id']]} too")
        seen.setdefault(row["id"], where)
        check_row(where, row, code, checks, errors)
    for name, places in code.items():
        if name not in seen:
            errors.extend(f"{place}: {name} has no row in {TABLE}" for place in places)
    covered = {check for _, row in rows if not row["state"].startswith("open") for check in CHECK_ID.findall(row["covered by"])}
    errors.extend(f"admission/checks.c: {check} is in no row of {TABLE}" for check in checks if check not in covered)
    for error in errors:
        print(error, file=sys.stderr)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
