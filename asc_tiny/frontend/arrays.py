"""Array types of samples, features and codes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Float64Array = NDArray[np.float64]

Int16Array = NDArray[np.int16]

Samples = NDArray[np.signedinteger[Any]]
"""Samples in the front end's ``sample_type``; full scale is the type's whole range."""

Int8Array = NDArray[np.int8]
