"""What we measure ourselves against: a Flask view that spools an upload to disk in the clear."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from flask import Flask, request

application = Flask(__name__)


@application.post("/send")
def send() -> str:
    """Keep what was uploaded, as most sites do."""
    with tempfile.TemporaryDirectory() as folder:
        for number, file in enumerate(request.files.getlist("evidence")):
            with Path(folder, str(number)).open("wb") as kept:
                shutil.copyfileobj(file.stream, kept, 1 << 20)
    return "kept"
