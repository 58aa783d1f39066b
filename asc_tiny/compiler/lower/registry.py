"""All operators that become C: the modules are imported that register them.

Where ``lowering_rule`` is needed with all operators in it, it is imported from here.
"""

from __future__ import annotations

from asc_tiny.compiler.lower import (  # noqa: F401
    activation,
    binary,
    cast,
    compare,
    concat,
    conv,
    convert,
    depth_space,
    depthwise,
    fully_connected,
    gather,
    l2_norm,
    logic,
    lstm,
    lut,
    matmul,
    pad,
    pool,
    rearrange,
    reduce,
    reshape,
    resize,
    select,
    slice,
    softmax,
    space_batch,
    sums,
    svdf,
    transpose,
    transpose_conv,
    variables,
)
from asc_tiny.compiler.lower.rule import lowering_rule

__all__ = ["lowering_rule"]
