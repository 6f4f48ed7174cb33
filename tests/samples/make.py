"""Make the samples of this folder anew: ``python -m tests.samples.make``.

Rule: every byte comes from tests/support; nothing here was ever in anybody's camera.
"""

import io
from pathlib import Path

from PIL import PngImagePlugin

from tests.support.media import drawing, phone_photo, phone_video

HERE = Path(__file__).parent
CANARY = b"CANARY-sample"


def samples() -> dict[str, bytes]:
    """Return the name and content of each sample."""
    text = PngImagePlugin.PngInfo()
    text.add_text("Author", CANARY.decode())
    picture = io.BytesIO()
    drawing(160, 120).save(picture, "PNG", pnginfo=text)
    return {
        "phone.jpg": phone_photo(CANARY, width=320, height=240),
        "screen.png": picture.getvalue(),
        "phone.mov": phone_video(CANARY),
        "words.jpg": b"These are words, and the name says that they are a photo.\n",
    }


if __name__ == "__main__":
    for name, content in samples().items():
        (HERE / name).write_bytes(content)
