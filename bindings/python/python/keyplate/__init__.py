"""Identity that an application embeds: users, first-run setup, sessions and API keys in one SQLite file.

    import keyplate

    with keyplate.open("id.db", origin="https://media.example") as kp:
        token = kp.create_setup_token()

Every method of `Keyplate` blocks and releases the GIL; `keyplate.aio` has the same names for asyncio.
"""

import os as _os

from . import _native
from ._native import *
from ._native import __version__ as __version__
from .errors import *

# D4: a child must not inherit the library in mid-use.
if hasattr(_os, "register_at_fork"):
    _os.register_at_fork(
        before=_native._before_fork,
        after_in_parent=_native._after_fork,
        after_in_child=_native._after_fork,
    )
