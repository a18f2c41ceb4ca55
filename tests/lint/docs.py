"""Compares docs/checks.md with the catalogue in admission/checks.c: headings, default actions, what strict raises."""
import pathlib
import re
import sys

TREE = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[2])
PAGE = "docs/checks.md"
PARTS = ["Looks at", "Default", "Cause", "You see", "Cure", "To change it"]
ROW = re.compile(r'\]\s*=\s*\{\s*STR_INIT\("([a-z-]+)"\),\s*\w+,\s*ACTION_(\w+),\s*GROUP_(\w+),')


def catalogue():
    """{id: the text that its page has to give as the default}"""
    text = (TREE / "admission/checks.c").read_text()
    checks = {}
    for check, action, group in ROW.findall(text):
        checks[check] = f"`{action.lower()}`"
        if group in ("PLACEMENT", "CONNECTIVITY") and action == "WARN":
            checks[check] += ", with `profile: strict`: `deny`"
    if len(checks) != len(re.findall(r"^\s+\[CHECK_\w+\]\s*=", text, re.MULTILINE)):
        sys.exit("admission/checks.c: cannot read all rows of the catalogue")
    return checks


def read_page():
    """[(line number, heading, text below it)]"""
    text = (TREE / PAGE).read_text()
    pieces = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    sections, line = [], pieces[0].count("\n") + 1
    for heading, body in zip(pieces[1::2], pieces[2::2]):
        sections.append((line, heading.strip(), body))
        line += body.count("\n")
    return sections


def check_section(where, check, body, default, errors):
    parts = dict(re.findall(r"^- \*\*(.+?)\*\*: *(.*)$", body, re.MULTILINE))
    for part in PARTS:
        if part not in parts:
            errors.append(f"{where}: {check}: '{part}' is missing")
    if "Default" in parts and parts["Default"] != default:
        errors.append(f"{where}: {check}: the default is {default}, the page says {parts['Default']}")
    if f"[{check}]" not in body:
        errors.append(f"{where}: {check}: no message that ends with [{check}] is shown")
    if not re.search(rf"`checks: {{{check}: (deny|warn|ignore|annotate)}}`", body):
        errors.append(f"{where}: {check}: no configuration that changes it is shown")


def main():
    errors, checks, seen = [], catalogue(), []
    for line, heading, body in read_page():
        where = f"{PAGE}:{line}"
        if heading not in checks:
            errors.append(f"{where}: {heading} is no check of admission/checks.c")
        elif heading in seen:
            errors.append(f"{where}: {heading} has two headings")
        else:
            check_section(where, heading, body, checks[heading], errors)
        seen.append(heading)
    errors.extend(f"{PAGE}: {check} has no heading" for check in checks if check not in seen)
    if not errors and seen != list(checks):
        errors.append(f"{PAGE}: the headings are not in the order of admission/checks.c")
    for error in errors:
        print(error, file=sys.stderr)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
