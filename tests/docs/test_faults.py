"""The table of faults names every test of a fault, and no other."""

import ast
import re


def test_faults_and_their_tests(root) -> None:
    page = (root / "docs" / "reference" / "faults.md").read_text("utf-8")
    shown = [cell for row in re.findall(r"^\|.*\|([^|]*)\|$", page, re.MULTILINE)[2:] if (cell := row.strip())]
    named = {name for cell in shown for name in re.findall(r"`(\w+)`", cell)}
    defined = set()
    for path in (root / "tests" / "faults").glob("test_*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        functions = (node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
        defined |= {function.name for function in functions if function.name.startswith("test_")}
    assert named == defined
