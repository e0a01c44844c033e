"""What all tests share: Ctrl-C works, also where they were started in the background of a shell, which ignores it."""

from __future__ import annotations

import signal

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # what tests start inherits that
