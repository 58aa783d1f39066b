"""The prefix of all C names, so that two models fit in one image."""

from __future__ import annotations

import re

from asc_tiny.errors import AscError

DEFAULT = "asc"

# Reserved words of C (to C23) and C++ (to C++23).
_RESERVED_WORDS = """
    alignas alignof and and_eq asm atomic_cancel atomic_commit atomic_noexcept auto bitand
    bitor bool break case catch char char8_t char16_t char32_t class compl concept const
    consteval constexpr constinit const_cast continue co_await co_return co_yield decltype
    default delete do double dynamic_cast else enum explicit export extern false float for
    friend goto if inline int long mutable namespace new noexcept not not_eq nullptr operator
    or or_eq private protected public reflexpr register reinterpret_cast requires restrict
    return short signed sizeof static static_assert static_cast struct switch synchronized
    template this thread_local throw true try typedef typeid typename typeof typeof_unqual
    union unsigned using virtual void volatile wchar_t while xor xor_eq
"""
_RESERVED = frozenset(_RESERVED_WORDS.split())


def check_prefix(prefix: str) -> str:
    """Return ``prefix`` if C names may start with it.

    Raises:
        AscError: not a lower-case C identifier, or a reserved word of C or C++.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,30}", prefix) or prefix.endswith("_"):
        raise AscError(
            f"--prefix {prefix}: must be a C name of up to 31 lower-case letters, digits and "
            f"underscores that starts with a letter and does not end in an underscore"
        )
    if prefix in _RESERVED:
        raise AscError(f"--prefix {prefix}: is a reserved word of C or C++")
    return prefix


def rename_prefix(text: str, prefix: str) -> str:
    """Replace ``asc_`` by ``<prefix>_`` and ``ASC_`` by ``<PREFIX>_`` wherever a name starts.

    Raises:
        AscError: ``prefix`` is not allowed.
    """
    check_prefix(prefix)
    text = re.sub(r"\basc_", f"{prefix}_", text)
    return re.sub(r"\bASC_", f"{prefix.upper()}_", text)
