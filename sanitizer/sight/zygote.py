"""The process that workers which look at files are forked from.  Started by sanitizer.sight.ask.

Rule: sanitizer.jail.zygote's, and its locks; only what its workers do is another thing.
"""

import sys
from pathlib import Path

if __name__ == "__main__":  # pragma: no cover - runs in the jailed child
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

    from sanitizer.jail import zygote

    def _looking() -> zygote.Serve:
        from sanitizer.sight import worker  # noqa: PLC0415 - only now is it known where it lies

        return worker.serve

    zygote.main(work=_looking)
