"""The names that a pickle from a stranger may use, and what each may build.

A pickle can name any function and have it called. Here a name is never bound to what
it says: it is an inert string, :class:`Name`, and a call of it looks up the entry of
:data:`REBUILD`, which takes only plain arguments, builds one value from them and no
more than the file has bytes for. No function, class or module is ever in the hands of
a file, so that it cannot reach one by way of another, or set its attributes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from mmengine.structures import InstanceData

from mmmix.apis.safe_loading import values
from mmmix.apis.safe_loading.values import Name, UnsafePickleError

_TENSOR_TYPES = ('torch.Tensor', 'torch.nn.parameter.Parameter')


def resolve(full_name: str) -> Any:
    """What a pickle gets that asks for a name.

    Args:
        full_name: Module and name, with a dot between.

    Returns:
        A :class:`Name`, or for the names of types of numbers the ``torch.dtype``.

    Raises:
        UnsafePickleError: If the name is none of those listed here.
    """
    if full_name in _CONSTANTS:
        return _CONSTANTS[full_name]
    if full_name in REBUILD or full_name in _NAMED_ONLY:
        return Name(full_name)
    raise UnsafePickleError(full_name)


def rebuild(name: Any, arguments: Any) -> Any:
    """Do what a pickle's call of a name stands for.

    Raises:
        UnsafePickleError: If it is no name that may be called.
        UnpicklingError: If the arguments make no sense.
    """
    function = REBUILD.get(name) if type(name) is Name else None
    if function is None:
        called = name if type(name) is Name else f'an object of {type(name).__name__}'
        raise UnsafePickleError(f'a call of {called}')
    if type(arguments) is not tuple:
        raise UnpicklingError(f'{name} is called without a tuple of arguments')
    try:
        return function(*arguments)
    except (UnpicklingError, MemoryError):
        raise
    except Exception as error:
        raise UnpicklingError(f'{name} has arguments that make no sense') from error


def set_state(value: Any, state: Any) -> None:
    """Do what a pickle's state of a value stands for.

    Raises:
        UnsafePickleError: If values of that type have no state to set.
        UnpicklingError: If the state makes no sense.
    """
    kind = np.dtype if isinstance(value, np.dtype) else type(value)
    setter = _STATES.get(kind)
    if setter is None:
        raise UnsafePickleError(f'attributes of an object of {type(value).__name__}')
    try:
        setter(value, state)
    except (UnpicklingError, MemoryError):
        raise
    except Exception as error:
        message = f'the state of a {kind.__name__} makes no sense'
        raise UnpicklingError(message) from error


def _with_attributes(
    function: Any, kind: Any, arguments: Any, _state: Any
) -> torch.Tensor:
    """A tensor that had attributes, without them: torch would set any, of anything."""
    if type(kind) is not Name or kind not in _TENSOR_TYPES:
        raise UnsafePickleError('a tensor of another class')
    result = rebuild(function, arguments)
    values.expect(isinstance(result, torch.Tensor), 'attributes of no tensor')
    return result


REBUILD: dict[str, Callable] = {
    'collections.OrderedDict': values.build_ordered_dict,
    'collections.Counter': values.build_counter,
    '_codecs.encode': values.build_bytes,
    values.LOG_BUFFER: values.build_log_buffer,
    'mmengine.structures.instance_data.InstanceData': values.build_instances,
    'torch.Size': values.build_size,
    'torch.device': values.build_device,
    'torch._utils._rebuild_tensor': values.build_tensor,
    'torch._utils._rebuild_tensor_v2': values.build_tensor,
    'torch._utils._rebuild_tensor_v3': values.build_tensor_of_type,
    'torch._utils._rebuild_parameter': values.build_parameter,
    'torch._utils._rebuild_parameter_with_state': values.build_parameter,
    'torch._tensor._rebuild_from_type_v2': _with_attributes,
    'numpy.dtype': values.build_dtype,
}
for _module in ('builtins', '__builtin__'):
    REBUILD |= {
        f'{_module}.set': values.build_set,
        f'{_module}.bytes': values.build_no_bytes,
        f'{_module}.bytearray': values.build_bytearray,
        f'{_module}.complex': values.build_complex,
        f'{_module}.slice': values.build_slice,
        f'{_module}.getattr': values.restricted_getattr,
    }
for _module in ('numpy.core', 'numpy._core'):
    REBUILD |= {
        f'{_module}.multiarray._reconstruct': values.build_array,
        f'{_module}.multiarray.scalar': values.build_scalar,
        f'{_module}.numeric._frombuffer': values.build_array_from,
    }
_NAMED_ONLY = frozenset((values.ARRAY, *_TENSOR_TYPES))
# Quantised numbers have a state of their own, which no checkpoint here needs.
_CONSTANTS = {
    str(value): value
    for value in vars(torch).values()
    if type(value) is torch.dtype and not str(value).startswith('torch.q')
}
# A storage's class says no more than the type of its numbers.
_CONSTANTS['torch.storage.UntypedStorage'] = torch.uint8
for _dtype, _kind in torch.storage._dtype_to_storage_type_map().items():
    if str(_dtype) in _CONSTANTS:
        _CONSTANTS[f'torch.{_kind}'] = _CONSTANTS[f'torch.cuda.{_kind}'] = _dtype
_STATES: dict[type, Callable] = {
    OrderedDict: values.fill_ordered_dict,
    HistoryBuffer: values.fill_log_buffer,
    InstanceData: values.fill_instances,
    np.ndarray: values.fill_array,
    np.dtype: values.fill_dtype,
}
