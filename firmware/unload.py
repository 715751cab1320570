"""Lets a module go whose work is done, because its code would stay in RAM.

Imports only `sys`. For what happens once after a start; who needs it again imports it again.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def unload(module: "Any") -> None:
    """Nothing finds this module of a package any more; it is gone with its last user."""
    name = module.__name__
    package, _, own = name.rpartition(".")
    del sys.modules[name]
    delattr(sys.modules[package], own)
