"""A zygote whose workers do as the file says, instead of looking at it.

Run by tests.sanitizer.test_sight_jail in the zygote's place; the locks are the true ones.
"""

import ctypes
import os
import sys
import time
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

    from sanitizer.jail import zygote

    def _obeying() -> zygote.Serve:
        from sanitizer.sight import worker  # noqa: PLC0415 - only now is it known where it lies
        from sanitizer.sight.order import Order, Sight, Subject  # noqa: PLC0415 - only now is it known where it lies
        from sanitizer.source import UntrustedSource  # noqa: PLC0415 - only now is it known where it lies

        names = {"ctypes": ctypes, "os": os, "time": time}

        def obey(source: UntrustedSource, order: Order) -> Sight:
            told = {"sight": Sight(1, 1, bytes(3), 1, 1)}
            exec(source.read_at(0, source.length).decode(), {**names, "order": order}, told)  # noqa: S102 - that is what it is for
            return told["sight"]

        worker.DRAWN[Subject.PICTURE] = obey
        return worker.serve

    zygote.main(work=_obeying)
