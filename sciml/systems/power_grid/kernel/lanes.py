"""Eight scenarios in one register: a vector of doubles as a type that numba compiles.

A batch of power flows on one grid does the same arithmetic for every scenario, and only the numbers
differ. Written with `Lanes`, a kernel reads like the scalar algorithm while each operation is one
instruction on eight scenarios (two where registers hold four doubles). numba's own vectoriser
does not reach this: it cannot know that the rows of an array do not overlap.

An array that holds lanes has the shape `[rows, 8]`; `load` and `store` move one row.
"""

import operator
from collections.abc import Callable
from typing import Any, no_type_check

from llvmlite import ir
from numba import extending, types
from numba.core import cgutils
from numba.core.typing.templates import ConcreteTemplate, infer_global, signature
from numba.extending import lower_builtin, models, register_model

WIDTH = 8
VECTOR = ir.VectorType(ir.DoubleType(), WIDTH)
ALIGN_BYTES = 8  # numpy promises no more
intrinsic: Any = extending.intrinsic  # its annotation shows an argument that callers do not give
CONTRACT = ("contract",)  # a product and a sum may become one instruction


class Lanes(types.Type):
    """The type of a vector of `WIDTH` doubles."""

    def __init__(self) -> None:
        super().__init__(name=f"Lanes{WIDTH}")


LANES = Lanes()


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, VECTOR)


def _define(symbol: Any, emit: Callable[..., Any], arity: int) -> None:
    """Let `symbol` work on lanes by the instruction that `emit` builds."""
    operands = (LANES,) * arity

    @infer_global(symbol)
    class _Template(ConcreteTemplate):
        cases = (signature(LANES, *operands),)

    @lower_builtin(symbol, *operands)
    def _lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return emit(builder, *args)


_define(operator.add, lambda builder, a, b: builder.fadd(a, b, flags=CONTRACT), 2)
_define(operator.sub, lambda builder, a, b: builder.fsub(a, b, flags=CONTRACT), 2)
_define(operator.mul, lambda builder, a, b: builder.fmul(a, b, flags=CONTRACT), 2)
_define(operator.truediv, lambda builder, a, b: builder.fdiv(a, b), 2)
_define(operator.neg, lambda builder, a: builder.fneg(a), 1)


def _row(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    """Pointer to row `args[1]` of the array `args[0]`."""
    array = context.make_array(sig.args[0])(context, builder, args[0])
    row = context.cast(builder, args[1], sig.args[1], types.intp)
    first = builder.gep(array.data, [builder.mul(row, ir.Constant(row.type, WIDTH))])
    return builder.bitcast(first, VECTOR.as_pointer())


@intrinsic
@no_type_check
def load(typing: Any, array: Any, row: Any) -> Any:
    """The lanes in `row` of a contiguous array `[rows, 8]`."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        value = builder.load(_row(context, builder, sig, args))
        value.align = ALIGN_BYTES
        return value

    return LANES(array, row), generate


@intrinsic
@no_type_check
def store(typing: Any, array: Any, row: Any, value: Any) -> Any:
    """Put lanes into `row` of a contiguous array `[rows, 8]`."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        builder.store(args[2], _row(context, builder, sig, args)).align = ALIGN_BYTES
        return context.get_dummy_value()

    return types.void(array, row, LANES), generate


@intrinsic
@no_type_check
def splat(typing: Any, number: Any) -> Any:
    """The same number in every lane."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        value = context.cast(builder, args[0], sig.args[0], types.float64)
        nothing = ir.Constant(VECTOR, ir.Undefined)
        one = builder.insert_element(nothing, value, ir.Constant(ir.IntType(32), 0))
        everywhere = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
        return builder.shuffle_vector(one, nothing, everywhere)

    return LANES(number), generate


def _llvm(builder: Any, name: str, value: Any) -> Any:
    kind = ir.FunctionType(VECTOR, [VECTOR])
    function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.{name}.v{WIDTH}f64")
    return builder.call(function, [value])


@intrinsic
@no_type_check
def absolute(typing: Any, value: Any) -> Any:
    """|value|, lane by lane."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return _llvm(builder, "fabs", args[0])

    return LANES(LANES), generate


@intrinsic
@no_type_check
def root(typing: Any, value: Any) -> Any:
    """Square root, lane by lane."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return _llvm(builder, "sqrt", args[0])

    return LANES(LANES), generate


@intrinsic
@no_type_check
def greater(typing: Any, worst: Any, value: Any) -> Any:
    """The greater of two, lane by lane; a lane that is not a number stays so."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        keep = builder.fcmp_ordered(">=", args[0], args[1])
        lost = builder.fcmp_unordered("uno", args[0], args[0])
        return builder.select(builder.or_(keep, lost), args[0], args[1])

    return LANES(LANES, LANES), generate


@intrinsic
@no_type_check
def flipped(typing: Any, sign: Any, by: Any) -> Any:
    """`sign`, with the opposite sign in lanes where `by` is negative."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        zero = ir.Constant(VECTOR, [0.0] * WIDTH)
        return builder.select(
            builder.fcmp_ordered("<", args[1], zero), builder.fneg(args[0]), args[0]
        )

    return LANES(LANES, LANES), generate
