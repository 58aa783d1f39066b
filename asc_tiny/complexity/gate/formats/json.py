"""The report as JSON; complexity/budget.schema.json describes it."""

from __future__ import annotations

import json
from typing import Any

from asc_tiny.complexity.gate.baseline import Comparison
from asc_tiny.complexity.gate.gate import Check, Verdict
from asc_tiny.complexity.report import PARAMS_UNIT, to_json

SCHEMA = 1


def render(verdict: Verdict) -> str:
    """Return the report as JSON."""
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "convention": verdict.convention,
        "params_unit": PARAMS_UNIT[verdict.convention],
        **to_json(verdict.models),
        "limits": verdict.limits.to_json(),
        "exceeded": [check.message for check in verdict.failed],
        "passed": verdict.passed,
        "checks": [_check(check) for check in verdict.checks],
        "comparisons": [_comparison(comparison) for comparison in verdict.comparisons],
    }
    if verdict.ensembles:
        document["ensembles"] = list(verdict.ensembles)
    return json.dumps(document, indent=2, allow_nan=False)


def _check(check: Check) -> dict[str, Any]:
    return {
        "rule": check.rule,
        "subject": check.subject,
        "file": check.file,
        "figure": check.figure.key,
        "value": check.value,
        "limit": check.limit,
        "passed": check.passed,
        "message": check.message,
    }


def _comparison(comparison: Comparison) -> dict[str, Any]:
    return {
        "path": comparison.path,
        "max_growth": float(comparison.growth),
        "figures": {
            figure.key: {"before": change.before, "after": change.after}
            for figure, change in comparison.figures.items()
        },
        "layers": [
            {
                "number": layer.number,
                "op": layer.op,
                "output_shape": list(layer.output_shape),
                "change": layer.kind,
                "figures": {
                    key: {"before": change.before, "after": change.after}
                    for key, change in layer.figures.items()
                },
            }
            for layer in comparison.layers
        ],
    }
