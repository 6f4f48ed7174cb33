"""Walk the packets of sound of a result: frames that add up, and nothing blank that speaks.

Rule: shares no code with what stripped them.
"""

from sanitizer.errors import MetadataSurvived

# Bytes of a frame after its first, and the bits of its last byte that are filling.
_NARROW = {0: (12, 1), 1: (13, 1), 2: (15, 2), 3: (17, 2), 4: (19, 4), 5: (20, 1), 6: (26, 4)} | {
    7: (31, 4), 8: (5, 1), 15: (0, 0),
}  # fmt: skip
_WIDE = {0: (17, 4), 1: (23, 7), 2: (32, 3), 3: (36, 3), 4: (40, 3), 5: (46, 3), 6: (50, 3)} | {
    7: (58, 3), 8: (60, 3), 9: (5, 0), 14: (0, 0), 15: (0, 0),
}  # fmt: skip


def _frames(packet: bytes, kinds: dict[int, tuple[int, int]]) -> None:
    at = 0
    while at < len(packet):
        head = packet[at]
        length, filling = kinds.get(head >> 3 & 15, (0, 0))
        at += 1 + length
        if head & 0x83 or head >> 3 & 15 not in kinds or at > len(packet):
            raise MetadataSurvived("a message inside a packet of sound")
        if packet[at - 1] & ((1 << filling) - 1):
            raise MetadataSurvived("a message inside a packet of sound")


def amr_narrow(packet: bytes) -> None:
    """Raise MetadataSurvived unless a packet of AMR is frames and nothing else."""
    _frames(packet, _NARROW)


def amr_wide(packet: bytes) -> None:
    """Raise MetadataSurvived unless a packet of AMR-WB is frames and nothing else."""
    _frames(packet, _WIDE)


def alac(packet: bytes) -> None:
    """Raise MetadataSurvived where a packet of ALAC begins with something else than sound."""
    if packet[:1] and packet[0] >> 5 in {2, 4, 5, 6}:
        raise MetadataSurvived("a message inside a packet of sound")
