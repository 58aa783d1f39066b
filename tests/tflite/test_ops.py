"""The operator table is the only list of operators, and every rule is about a row of it."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import asc_tiny
from asc_tiny.compiler.lower.registry import lowering_rule
from asc_tiny.compiler.passes.time_major import time_major_rule
from asc_tiny.complexity.op_cost import cost_rule
from asc_tiny.tflite import schema_tables
from asc_tiny.tflite.ops import OPS, Family, OpRules, row
from asc_tiny.tflite.shapes.check import shape_rule
from asc_tiny.tflm.kernel_memory import memory_rule
from asc_tiny.tflm.kernel_scratch import scratch_rule

PACKAGE = Path(asc_tiny.__file__).parent

OTHER_LISTS = {
    "compiler/lower/compare.py": "the relation that each comparison asks for",
    "compiler/passes/constant_channels.py": "what becomes of the ranges of channels",
    "complexity/keras_vs_tflite.py": "the operators that layers of Keras become",
    "train/stored_weights.py": "the operators whose weights layers of Keras take",
    "tflite/schema.py": "fused activations, some of which have the names of operators",
}
"""Modules that name three operators or more in one place, and what those lists are of."""


def lists(tree: ast.AST) -> Iterator[list[str]]:
    """Yield the operators that stand together in a collection, or in a text of several."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Tuple | ast.List | ast.Set | ast.Dict):
            inside = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant)]
            yield [value for value in inside if isinstance(value, str) and value in OPS]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            # Sentences name operators, too: a list is nothing else.
            words = node.value.split()
            yield words if all(word in OPS for word in words) else []


def modules_with_lists() -> set[str]:
    found = set()
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if any(len(set(names)) > 2 for names in lists(tree)):
            found.add(path.relative_to(PACKAGE).as_posix())
    return found


def test_no_module_but_the_table_has_a_list_of_operators() -> None:
    assert modules_with_lists() == {"tflite/ops.py", *OTHER_LISTS}


@pytest.mark.parametrize(
    "text",
    ['{"ADD": 1, "SUB": 2, "MUL": 3}', '("ADD", ("SUB", "MUL"))', '"""\n    ADD\n    SUB MUL"""'],
)
def test_a_list_of_operators_is_found(text: str) -> None:
    assert any(len(names) > 2 for names in lists(ast.parse(f"_X = {text}")))


def test_a_rule_about_several_operators_is_no_list() -> None:
    text = '"""ADD, SUB and MUL."""\n@cost_rule("ADD", "SUB", "MUL")\ndef f(): ...'
    assert not any(len(names) > 2 for names in lists(ast.parse(text)))


def test_a_rule_is_about_an_operator_of_the_table_and_has_no_rival() -> None:
    rules: OpRules[int] = OpRules({Family.UNARY: 0})
    rules("ABS")(1)
    with pytest.raises(ValueError, match="ABBS is not in the operator table"):
        rules("ABBS")(1)
    with pytest.raises(ValueError, match="ABS has two rules"):
        rules("ABS")(2)
    assert (rules.get("ABS"), rules.get("COS"), rules.get("ADD")) == (1, 0, None)


def test_a_family_speaks_for_operators_of_tflm_alone() -> None:
    """What nobody runs is not counted by a guess."""
    rules: OpRules[int] = OpRules(dict.fromkeys(Family, 0))
    assert rules.get("GELU") is rules.get("CUSTOM magic") is rules.get("STABLEHLO_ADD") is None
    assert "GELU" not in rules.names and "ABS" in rules.names
    assert row("CUSTOM magic").family is Family.OTHER


@pytest.mark.parametrize("rules", [cost_rule, scratch_rule, shape_rule, time_major_rule])
def test_a_special_rule_is_not_that_of_the_family(rules: OpRules[object]) -> None:
    for name in (name for name in rules.names if OPS[name].micro):
        default = rules.defaults.get(OPS[name].family)
        assert name not in rules._special or rules._special[name] is not default, name


def test_the_registry_imports_every_lowering() -> None:
    """A module that it forgets would make its operators unknown where nothing else imports it."""
    program = "import asc_tiny.compiler.lower.registry as r; print(*r.lowering_rule.names)"
    seen = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()
    for path in sorted((PACKAGE / "compiler" / "lower").glob("*.py")):
        importlib.import_module(f"asc_tiny.compiler.lower.{path.stem}")
    assert seen == list(lowering_rule.names)


def test_tables_of_options_are_those_of_the_schema() -> None:
    assert {op.table for op in OPS.values()} <= {"", *schema_tables.OPTIONS}
    # A table whose fields have names is read by an operator.
    named = {name for name, fields in schema_tables.FIELDS.items() if fields}
    assert named <= {op.table for op in OPS.values()}


def test_what_is_compiled_is_counted() -> None:
    assert set(lowering_rule.names) <= set(cost_rule.names)
    assert set(memory_rule.names) <= set(cost_rule.names)
