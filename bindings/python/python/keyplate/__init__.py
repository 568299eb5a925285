"""Identity that an application embeds: users, groups and claims, passkeys, sign-up by invitation, first-run setup,
one-time codes, sessions, API keys, access tokens and group-based access to services, in one SQLite file.

    import keyplate

    with keyplate.open("id.db", origin="https://media.example") as kp:
        token = kp.create_setup_token()

What is here:

- `open`, which gives the host's `Keyplate`; its `anonymous`, `acting_as` and `with_client` give other handles.
- `Keyplate` with every method of the library. Each blocks and releases the GIL. `keyplate.aio` has the same names for
  asyncio.
- `KeyplateError` and a class for each kind of error, with `code` (an `ErrorCode`), `http_status`, `field`, `retry_after` and
  `passkey_failure`; where there is something to branch on, its `reason`, `reason_code` and `reason_json`.
- Records, such as `User` and `ApiKey`; `Secret`, whose text only `reveal()` shows.
- Enums, such as `Role`: those without data are `enum.IntEnum`s, whose numbers never change; those with data, such as
  `InputReason`, have a class for each variant, for `match`.
- `TimeSource` and `EventSink`: a host may give a callable for each to `open`.

`os.fork` is safe while handles are open: the package installs the hooks for it.
"""

import atexit as _atexit
import os as _os

from . import _native
from ._native import *
from ._native import __version__ as __version__
from .enums import *
from .errors import *

# D4: a child must not inherit the library in mid-use.
if hasattr(_os, "register_at_fork"):
    _os.register_at_fork(
        before=_native._before_fork,
        after_in_parent=_native._after_fork,
        after_in_child=_native._after_fork_in_child,
    )

# Threads that Python does not wait for must not come back from the library when it takes itself down.
_atexit.register(_native._at_exit)
