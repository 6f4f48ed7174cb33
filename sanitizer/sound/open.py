"""Which writer and which checker serve which sound.

Rule: a writer reads as much of the file as it needs to refuse it at once; the rest streams.
"""

from sanitizer.limits import Limits
from sanitizer.sound.adts import AdtsWriter
from sanitizer.sound.adts_check import AdtsChecker
from sanitizer.sound.amr import AmrWriter
from sanitizer.sound.amr_check import AmrChecker
from sanitizer.sound.flac.check import FlacChecker
from sanitizer.sound.flac.write import FlacWriter
from sanitizer.sound.mp3.check import Mp3Checker
from sanitizer.sound.mp3.write import Mp3Writer
from sanitizer.sound.ogg.check import OggChecker
from sanitizer.sound.ogg.write import OggWriter
from sanitizer.sound.stream import Sound
from sanitizer.source import UntrustedSource


def ogg(source: UntrustedSource, limits: Limits) -> Sound:
    """Return a clean Ogg file in the making; raises a leaf of Refused."""
    return Sound("audio/ogg", "ogg", OggWriter(source, limits), OggChecker())


def mp3(source: UntrustedSource, limits: Limits) -> Sound:
    """Return a clean MP3 in the making; raises a leaf of Refused."""
    return Sound("audio/mpeg", "mp3", Mp3Writer(source, limits), Mp3Checker())


def adts(source: UntrustedSource, limits: Limits) -> Sound:
    """Return a clean AAC in the making; raises a leaf of Refused."""
    return Sound("audio/aac", "aac", AdtsWriter(source, limits), AdtsChecker())


def flac(source: UntrustedSource, limits: Limits) -> Sound:
    """Return a clean FLAC in the making; raises a leaf of Refused."""
    return Sound("audio/flac", "flac", FlacWriter(source, limits), FlacChecker())


def amr(source: UntrustedSource, limits: Limits) -> Sound:
    """Return a clean AMR in the making; raises a leaf of Refused."""
    writer = AmrWriter(source, limits)
    name = "audio/amr-wb" if writer.is_wide else "audio/amr"
    return Sound(name, "awb" if writer.is_wide else "amr", writer, AmrChecker())
