"""The operator table: one row for each operator of the TFLite schema, in the order of its numbers.

A row says what an operator is, and its family says what it has in common with others. All else that
a part of the package knows of operators (shapes, work, memory, lowering, ...) is a rule in an
``OpRules``: a default for a family, or a function of its own for one that is special. No other
module has a list of operators. docs/developer/add_an_operator.md shows how to add one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Generic, TypeVar

from asc_tiny.tflite.schema_tables import FIELDS, Field


class Family(Enum):
    """What operators have in common.

    Attributes:
        UNARY: one tensor to one of the same shape.
        BINARY: tensors, broadcast to one shape, to one, element by element.
        COMPARISON: as BINARY, which compares them or holds one to the other.
        REDUCTION: the values along axes become one.
        WINDOW: pooling, the values under a window become one.
        WEIGHTED: sums of products, as a rule with learnt weights.
        RECURRENT: products with learnt weights, and a state from one step to the next.
        MOVEMENT: values go to other places.
        SELECTION: an operand, the first of the settings, chooses values of the others.
        RESIZE: images of another size.
        SHAPE: the values of the operand do not matter, its shape alone does.
        CONTROL: runs other subgraphs.
        STATE: variables and tables that outlive an inference.
        RANDOM: values that chance gives.
        OTHER: all else.
    """

    UNARY = auto()
    BINARY = auto()
    COMPARISON = auto()
    REDUCTION = auto()
    WINDOW = auto()
    WEIGHTED = auto()
    RECURRENT = auto()
    MOVEMENT = auto()
    SELECTION = auto()
    RESIZE = auto()
    SHAPE = auto()
    CONTROL = auto()
    STATE = auto()
    RANDOM = auto()
    OTHER = auto()


_SETTINGS: Mapping[Family, tuple[int, ...]] = {Family.REDUCTION: (1,), Family.RESIZE: (1,)}
"""The settings of families where all operators have the same."""


@dataclass(frozen=True)
class Op:
    """What an operator is.

    Attributes:
        name: its name in the schema.
        family: what it has in common with others.
        table: name of its table of options in ``schema_tables``, for operators whose options say
            what they compute; empty for others.
        own_settings: ``settings``, where those of the family are others.
        micro: whether TensorFlow Lite Micro has a kernel for it. Only such operators follow the
            rules of their family.
    """

    name: str
    family: Family
    table: str = ""
    own_settings: tuple[int, ...] = ()
    micro: bool = True

    @property
    def settings(self) -> tuple[int, ...]:
        """Positions of the operands that are shapes, axes, sizes, indices or conditions.

        Constants there are not learnt; those of all other operands are.
        """
        return self.own_settings or _SETTINGS.get(self.family, ())

    @property
    def options(self) -> Mapping[str, Field]:
        """The options that are read, by name: those that have a name in ``schema_tables``."""
        return FIELDS.get(self.table, {})


def _named(names: str) -> tuple[Op, ...]:
    """Return rows of operators that nothing is known of but their names."""
    return tuple(Op(name, Family.OTHER, micro=False) for name in names.split())


_ROWS = (
    Op("ADD", Family.BINARY, "Add"),
    Op("AVERAGE_POOL_2D", Family.WINDOW, "Pool2D"),
    Op("CONCATENATION", Family.MOVEMENT, "Concatenation"),
    Op("CONV_2D", Family.WEIGHTED, "Conv2D"),
    Op("DEPTHWISE_CONV_2D", Family.WEIGHTED, "DepthwiseConv2D"),
    Op("DEPTH_TO_SPACE", Family.MOVEMENT, "DepthToSpace"),
    Op("DEQUANTIZE", Family.UNARY),
    Op("EMBEDDING_LOOKUP", Family.SELECTION, own_settings=(0,)),
    Op("FLOOR", Family.UNARY),
    Op("FULLY_CONNECTED", Family.WEIGHTED, "FullyConnected"),
    *_named("HASHTABLE_LOOKUP"),
    Op("L2_NORMALIZATION", Family.UNARY, "L2Norm"),
    Op("L2_POOL_2D", Family.WINDOW, "Pool2D"),
    Op("LOCAL_RESPONSE_NORMALIZATION", Family.UNARY, micro=False),
    Op("LOGISTIC", Family.UNARY),
    *_named("LSH_PROJECTION"),
    Op("LSTM", Family.RECURRENT, micro=False),
    Op("MAX_POOL_2D", Family.WINDOW, "Pool2D"),
    Op("MUL", Family.BINARY, "Mul"),
    Op("RELU", Family.UNARY),
    Op("RELU_N1_TO_1", Family.UNARY, micro=False),
    Op("RELU6", Family.UNARY),
    Op("RESHAPE", Family.MOVEMENT, "Reshape", own_settings=(1,)),
    Op("RESIZE_BILINEAR", Family.RESIZE, "ResizeBilinear"),
    Op("RNN", Family.RECURRENT, micro=False),
    Op("SOFTMAX", Family.UNARY, "Softmax"),
    Op("SPACE_TO_DEPTH", Family.MOVEMENT, "SpaceToDepth"),
    Op("SVDF", Family.RECURRENT, "SVDF"),
    Op("TANH", Family.UNARY),
    Op("CONCAT_EMBEDDINGS", Family.MOVEMENT, micro=False),
    *_named("SKIP_GRAM"),
    Op("CALL", Family.CONTROL, micro=False),
    *_named("CUSTOM EMBEDDING_LOOKUP_SPARSE"),
    Op("PAD", Family.MOVEMENT, own_settings=(1,)),
    Op("UNIDIRECTIONAL_SEQUENCE_RNN", Family.RECURRENT, micro=False),
    Op("GATHER", Family.SELECTION, "Gather", own_settings=(1,)),
    Op("BATCH_TO_SPACE_ND", Family.MOVEMENT, own_settings=(1, 2)),
    Op("SPACE_TO_BATCH_ND", Family.MOVEMENT, own_settings=(1, 2)),
    Op("TRANSPOSE", Family.MOVEMENT, own_settings=(1,)),
    Op("MEAN", Family.REDUCTION, "Reducer"),
    Op("SUB", Family.BINARY, "Sub"),
    Op("DIV", Family.BINARY, "Div"),
    Op("SQUEEZE", Family.MOVEMENT, "Squeeze"),
    Op("UNIDIRECTIONAL_SEQUENCE_LSTM", Family.RECURRENT, "UnidirectionalSequenceLSTM"),
    Op("STRIDED_SLICE", Family.MOVEMENT, "StridedSlice", own_settings=(1, 2, 3)),
    Op("BIDIRECTIONAL_SEQUENCE_RNN", Family.RECURRENT, micro=False),
    Op("EXP", Family.UNARY),
    Op("TOPK_V2", Family.OTHER, own_settings=(1,), micro=False),
    Op("SPLIT", Family.MOVEMENT, "Split", own_settings=(0,)),
    Op("LOG_SOFTMAX", Family.UNARY),
    *_named("DELEGATE"),
    Op("BIDIRECTIONAL_SEQUENCE_LSTM", Family.RECURRENT, micro=False),
    Op("CAST", Family.UNARY),
    Op("PRELU", Family.BINARY),
    Op("MAXIMUM", Family.COMPARISON),
    Op("ARG_MAX", Family.REDUCTION, "ArgMax"),
    Op("MINIMUM", Family.COMPARISON),
    Op("LESS", Family.COMPARISON),
    Op("NEG", Family.UNARY),
    Op("PADV2", Family.MOVEMENT, own_settings=(1,)),
    Op("GREATER", Family.COMPARISON),
    Op("GREATER_EQUAL", Family.COMPARISON),
    Op("LESS_EQUAL", Family.COMPARISON),
    Op("SELECT", Family.SELECTION, own_settings=(0,), micro=False),
    Op("SLICE", Family.MOVEMENT, own_settings=(1, 2)),
    Op("SIN", Family.UNARY),
    Op("TRANSPOSE_CONV", Family.WEIGHTED, "TransposeConv", own_settings=(0,)),
    *_named("SPARSE_TO_DENSE"),
    Op("TILE", Family.MOVEMENT, own_settings=(1,), micro=False),
    Op("EXPAND_DIMS", Family.MOVEMENT, own_settings=(1,)),
    Op("EQUAL", Family.COMPARISON),
    Op("NOT_EQUAL", Family.COMPARISON),
    Op("LOG", Family.UNARY),
    Op("SUM", Family.REDUCTION, "Reducer"),
    Op("SQRT", Family.UNARY),
    Op("RSQRT", Family.UNARY),
    Op("SHAPE", Family.SHAPE),
    Op("POW", Family.BINARY, micro=False),
    Op("ARG_MIN", Family.REDUCTION, "ArgMin"),
    Op("FAKE_QUANT", Family.UNARY, micro=False),
    Op("REDUCE_PROD", Family.REDUCTION, micro=False),
    Op("REDUCE_MAX", Family.REDUCTION, "Reducer"),
    Op("PACK", Family.MOVEMENT, "Pack"),
    Op("LOGICAL_OR", Family.BINARY),
    Op("ONE_HOT", Family.OTHER, own_settings=(1,), micro=False),
    Op("LOGICAL_AND", Family.BINARY),
    Op("LOGICAL_NOT", Family.UNARY),
    Op("UNPACK", Family.MOVEMENT, "Unpack"),
    Op("REDUCE_MIN", Family.REDUCTION),
    Op("FLOOR_DIV", Family.BINARY),
    Op("REDUCE_ANY", Family.REDUCTION, micro=False),
    Op("SQUARE", Family.UNARY),
    Op("ZEROS_LIKE", Family.SHAPE),
    Op("FILL", Family.MOVEMENT, own_settings=(0,)),
    Op("FLOOR_MOD", Family.BINARY),
    *_named("RANGE"),
    Op("RESIZE_NEAREST_NEIGHBOR", Family.RESIZE, "ResizeNearestNeighbor"),
    Op("LEAKY_RELU", Family.UNARY, "LeakyRelu"),
    Op("SQUARED_DIFFERENCE", Family.BINARY),
    Op("MIRROR_PAD", Family.MOVEMENT, "MirrorPad", own_settings=(1,)),
    Op("ABS", Family.UNARY),
    Op("SPLIT_V", Family.MOVEMENT, "SplitV", own_settings=(1, 2)),
    *_named("UNIQUE"),
    Op("CEIL", Family.UNARY),
    Op("REVERSE_V2", Family.MOVEMENT, own_settings=(1,)),
    Op("ADD_N", Family.BINARY),
    Op("GATHER_ND", Family.SELECTION, own_settings=(1,)),
    Op("COS", Family.UNARY),
    *_named("WHERE"),
    Op("RANK", Family.SHAPE, micro=False),
    Op("ELU", Family.UNARY),
    Op("REVERSE_SEQUENCE", Family.MOVEMENT, own_settings=(1,), micro=False),
    Op("MATRIX_DIAG", Family.MOVEMENT, micro=False),
    Op("QUANTIZE", Family.UNARY),
    Op("MATRIX_SET_DIAG", Family.MOVEMENT, micro=False),
    Op("ROUND", Family.UNARY),
    Op("HARD_SWISH", Family.UNARY),
    Op("IF", Family.CONTROL, "If", own_settings=(0,)),
    Op("WHILE", Family.CONTROL),
    *_named("NON_MAX_SUPPRESSION_V4 NON_MAX_SUPPRESSION_V5 SCATTER_ND"),
    Op("SELECT_V2", Family.SELECTION, own_settings=(0,)),
    *_named("DENSIFY SEGMENT_SUM"),
    Op("BATCH_MATMUL", Family.WEIGHTED, "BatchMatMul"),
    *_named("PLACEHOLDER_FOR_GREATER_OP_CODES"),
    Op("CUMSUM", Family.UNARY, "Cumsum", own_settings=(1,)),
    Op("CALL_ONCE", Family.CONTROL, "CallOnce"),
    Op("BROADCAST_TO", Family.MOVEMENT, own_settings=(1,)),
    *_named("RFFT2D"),
    Op("CONV_3D", Family.WEIGHTED, micro=False),
    Op("IMAG", Family.UNARY, micro=False),
    Op("REAL", Family.UNARY, micro=False),
    Op("COMPLEX_ABS", Family.UNARY, micro=False),
    Op("HASHTABLE", Family.STATE, micro=False),
    Op("HASHTABLE_FIND", Family.STATE, micro=False),
    Op("HASHTABLE_IMPORT", Family.STATE, micro=False),
    Op("HASHTABLE_SIZE", Family.STATE, micro=False),
    Op("REDUCE_ALL", Family.REDUCTION),
    Op("CONV_3D_TRANSPOSE", Family.WEIGHTED, micro=False),
    Op("VAR_HANDLE", Family.STATE, "VarHandle"),
    Op("READ_VARIABLE", Family.STATE),
    Op("ASSIGN_VARIABLE", Family.STATE),
    Op("BROADCAST_ARGS", Family.MOVEMENT),
    Op("RANDOM_STANDARD_NORMAL", Family.RANDOM, micro=False),
    Op("BUCKETIZE", Family.UNARY, micro=False),
    Op("RANDOM_UNIFORM", Family.RANDOM, micro=False),
    Op("MULTINOMIAL", Family.RANDOM, micro=False),
    Op("GELU", Family.UNARY, micro=False),
    Op("DYNAMIC_UPDATE_SLICE", Family.MOVEMENT, own_settings=(2,)),
    Op("RELU_0_TO_1", Family.UNARY, micro=False),
    *_named("UNSORTED_SEGMENT_PROD UNSORTED_SEGMENT_MAX UNSORTED_SEGMENT_SUM"),
    Op("ATAN2", Family.BINARY, micro=False),
    *_named("UNSORTED_SEGMENT_MIN"),
    Op("SIGN", Family.UNARY, micro=False),
    Op("BITCAST", Family.UNARY, micro=False),
    Op("BITWISE_XOR", Family.BINARY, micro=False),
    Op("RIGHT_SHIFT", Family.BINARY, micro=False),
    *_named(
        """
        STABLEHLO_LOGISTIC STABLEHLO_ADD STABLEHLO_DIVIDE STABLEHLO_MULTIPLY
        STABLEHLO_MAXIMUM STABLEHLO_RESHAPE STABLEHLO_CLAMP STABLEHLO_CONCATENATE
        STABLEHLO_BROADCAST_IN_DIM STABLEHLO_CONVOLUTION STABLEHLO_SLICE
        STABLEHLO_CUSTOM_CALL STABLEHLO_REDUCE STABLEHLO_ABS STABLEHLO_AND
        STABLEHLO_COSINE STABLEHLO_EXPONENTIAL STABLEHLO_FLOOR STABLEHLO_LOG
        STABLEHLO_MINIMUM STABLEHLO_NEGATE STABLEHLO_OR STABLEHLO_POWER
        STABLEHLO_REMAINDER STABLEHLO_RSQRT STABLEHLO_SELECT STABLEHLO_SUBTRACT
        STABLEHLO_TANH STABLEHLO_SCATTER STABLEHLO_COMPARE STABLEHLO_CONVERT
        STABLEHLO_DYNAMIC_SLICE STABLEHLO_DYNAMIC_UPDATE_SLICE STABLEHLO_PAD
        STABLEHLO_IOTA STABLEHLO_DOT_GENERAL STABLEHLO_REDUCE_WINDOW STABLEHLO_SORT
        STABLEHLO_WHILE STABLEHLO_GATHER STABLEHLO_TRANSPOSE
        """
    ),
    Op("DILATE", Family.MOVEMENT, micro=False),
    Op("STABLEHLO_RNG_BIT_GENERATOR", Family.RANDOM, micro=False),
    *_named("REDUCE_WINDOW STABLEHLO_COMPOSITE STABLEHLO_SHIFT_LEFT STABLEHLO_CBRT"),
)

NAMES = tuple(op.name for op in _ROWS)
"""Names of operators by their numbers in the schema."""

OPS: Mapping[str, Op] = {op.name: op for op in _ROWS}
"""The rows by name."""


CUSTOM = "CUSTOM"
"""What the schema calls all custom operators, which have names of their own."""

VELA = "ethos-u"
"""The custom operator of files that Vela compiled; the kernel is in libraries for an Ethos-U."""


def custom_operator(name: str) -> str:
    """Return what ``Operator.name`` is for the custom operator of a name."""
    return f"{CUSTOM} {name}"


def custom_name(operator: str) -> str | None:
    """Return the name of a custom operator, as ``Operator.name`` has it; None for any other."""
    kind, _, name = operator.partition(" ")
    return name if kind == CUSTOM else None


def row(name: str) -> Op:
    """Return the row of an operator; of one that is not in the table nothing is known."""
    return OPS.get(name) or Op(name, Family.OTHER, micro=False)


Rule = TypeVar("Rule")


class OpRules(Generic[Rule]):
    """What one part of the package knows of operators: defaults by family, special rules by name.

    An instance is the decorator that registers a special rule::

        shape_rule: OpRules[ShapeRule] = OpRules({Family.UNARY: same})

        @shape_rule("RESHAPE", "DEPTH_TO_SPACE")
        def _same_size(op: OperatorView) -> None: ...

    Attributes:
        defaults: the rule of each family that has one.
    """

    def __init__(self, defaults: Mapping[Family, Rule] | None = None) -> None:
        self.defaults = defaults or {}
        self._special: dict[str, Rule] = {}

    def __call__(self, *names: str) -> Callable[[Rule], Rule]:
        """Return a decorator that registers a rule for these operators.

        Raises:
            ValueError: an operator is not in the table, or has a rule of its own already. This is
                a mistake in the package, found when its module is imported.
        """

        def register(rule: Rule) -> Rule:
            for name in names:
                if name not in OPS:
                    raise ValueError(f"{name} is not in the operator table")
                if name in self._special:
                    raise ValueError(f"{name} has two rules")
                self._special[name] = rule
            return rule

        return register

    def get(self, name: str) -> Rule | None:
        """Return the rule of an operator, its own or its family's; None if it has none."""
        if name in self._special:
            return self._special[name]
        op = row(name)
        return self.defaults.get(op.family) if op.micro else None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all operators that have a rule, in the order of the alphabet."""
        return tuple(sorted(name for name in OPS if self.get(name) is not None))
