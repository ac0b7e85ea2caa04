"""Receivers: whether the object whose method is called must be a tensor, or may be a list, a module, a helper."""

from __future__ import annotations

from infonce_lint.semantic.shapes.call import Call
from infonce_lint.semantic.shapes.domain import Abstract, Listing, Opaque, Parts, Tensor

#: Lists, batches of a tokenizer and modules have these as well; they give what is of the same sort.
_OF_OTHERS = frozenset(
    "copy to cuda cpu pin_memory float half double bfloat16 type requires_grad_ share_memory_ numpy tolist".split()
)
_OF_LISTS = frozenset("sort append extend".split())
#: With one argument, which may be a tensor.
_OF_TWO = frozenset(
    """matmul __matmul__ mm bmm mv dot inner outer ger vdot kron mul mul_ multiply multiply_ sub sub_ subtract subtract_
    add add_ div div_ divide true_divide floor_divide floor_divide_ fmod remainder remainder_ pow pow_ atan2 arctan2
    maximum minimum fmax fmin hypot eq eq_ ne ne_ ge ge_ le le_ gt gt_ lt lt_ equal not_equal greater greater_equal
    less less_equal logical_and logical_and_ logical_or logical_or_ logical_xor logical_xor_ bitwise_and bitwise_and_
    bitwise_or bitwise_or_ bitwise_xor isclose logaddexp xlogy type_as view_as reshape_as expand_as copy_
    masked_select""".split()
)
#: With arguments of any sort.
_OF_SEVERAL = frozenset(
    """addmm addbmm baddbmm lerp addcmul addcdiv where masked_fill masked_fill_ masked_scatter index_put index_put_
    clamp clamp_ clip take take_along_dim repeat_interleave quantile""".split()
)
#: With numbers that may come from elsewhere.
_SHAPING = frozenset(
    """view reshape repeat expand tile chunk split tensor_split split_with_sizes unflatten narrow new_full new_zeros
    new_ones new_empty resize resize_ broadcast_to unsqueeze squeeze transpose permute size roll topk""".split()
)
_FEATURES = frozenset("input x a tensor value features".split())


def receives(call: Call, receiver: Opaque) -> Abstract | bool:
    """Whether a call shows that its receiver is a tensor; or what is one if, and only if, the receiver is.

    A method of a tensor is given another tensor only where it takes one: ``head.normalize(x)`` is somebody else's.
    """
    name = call.value.name
    if name in _OF_OTHERS and not any(map(_may_be_tensor, _given(call))):
        return call.context.like(call.site, receiver)
    if name in _OF_LISTS:  # ``zs.sort(key=len)``
        return name == "sort" and not {"key", "reverse"} & {*call.named} and len(call.positional) + len(call.named) > 1
    if not _FEATURES.isdisjoint(call.named):
        return False
    given = _given(call)
    if name in _OF_TWO:
        return len(given) + len(call.named) <= 1 or not any(map(_may_be_tensor, given[1:]))
    if name in _OF_SEVERAL or not given:
        return True
    first = given[0]
    return isinstance(first, Opaque) if name in _SHAPING and _may_be_tensor(first) else not _may_be_tensor(first)


def _given(call: Call) -> list[Abstract]:
    return [call.evaluate(each) for each in call.positional[1:]]


def _may_be_tensor(known: Abstract) -> bool:
    if isinstance(known, Parts):
        return any(map(_may_be_tensor, known.items))
    if isinstance(known, Listing):
        return _may_be_tensor(known.item)
    return isinstance(known, Opaque) or (isinstance(known, Tensor) and bool(known.dims or known.rest))
