"""A second reader of our streams, written from the specification and sharing no code with ours.

C2SP chunked-encryption, Cobblestone-256: it judges the library that we pinned because it is young.
"""

import hashlib
import hmac

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

LABEL = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0"


def derive_stream_keys(key: bytes, context: bytes, salt: bytes) -> tuple[bytes, bytes, bytes]:
    """Return the AEAD key, the base nonce and the commitment of a stream."""
    one = hmac.digest(key, LABEL + salt + context + b"\1", "sha512")
    both = one + hmac.digest(key, one + LABEL + salt + context + b"\2", "sha512")
    return both[:32], both[32:44], both[44:76]


def read_cobblestone(key: bytes, context: bytes, stream: bytes) -> bytes:
    """Return the plaintext of a whole stream, or raise ValueError or InvalidTag."""
    aead_key, base, commitment = derive_stream_keys(key, context, stream[:24])
    chunks = [stream[at : at + 16400] for at in range(56, len(stream), 16400)]
    if not hmac.compare_digest(commitment, stream[24:56]) or (len(stream) - 56) % 16400 < 16:
        raise ValueError
    nonces = ((int.from_bytes(base, "big") ^ k).to_bytes(12, "big") for k in range(len(chunks)))
    opened = zip(nonces, chunks, strict=True)
    return b"".join(AESGCM(aead_key).decrypt(nonce, chunk, None) for nonce, chunk in opened)


def hkdf_expand_sha256_one_block(key: bytes, info: bytes) -> bytes:
    """HKDF-Expand to 32 bytes, which is one block."""
    return hmac.digest(key, info + b"\1", "sha256")


def open_part_independently(data_key: bytes, header: bytes, index: int, stream: bytes) -> bytes:
    """Return a part's padded plaintext, from the header's 140 bytes alone."""
    context = b"amana/v1/part\0" + header[12:60] + header[10:11] + index.to_bytes(4, "big")
    key = hkdf_expand_sha256_one_block(data_key, b"amana/v1/part-key\0" + context)
    return read_cobblestone(key, context, stream)


def header_hash(header: bytes) -> bytes:
    """HH, from the header's bytes."""
    return hashlib.sha256(b"amana/v1/header\0" + header).digest()
