"""Which numbers and addresses of money are what they look like: their own check digits say so.

Rule: a number that its check does not bear out is a typing error or another thing, and is no trace
to compare cases by.
"""

from __future__ import annotations

import hashlib
import ipaddress

RIB_DIGITS = 24
_IBAN_LENGTHS = {
    "AE": 23, "AT": 20, "BE": 16, "BH": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18,
    "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FR": 27, "GB": 22, "GR": 27, "HU": 28, "IE": 22,
    "IT": 27, "JO": 30, "KW": 30, "LB": 28, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MA": 28,
    "MC": 27, "MR": 27, "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "QA": 29, "RO": 24,
    "SA": 24, "SE": 24, "TN": 24, "TR": 26,
}  # fmt: skip
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BECH32_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_BECH32_ENDS = (1, 0x2BC830A3)
"""Of bech32 (BIP 173) and of bech32m (BIP 350)."""
_BITCOIN_VERSIONS, _TRON_VERSION = (0x00, 0x05), 0x41
_ADDRESS_BYTES = 25
_BASE58_MOST, _BECH32_MOST = 35, 90


def is_rib(digits: str) -> bool:
    """Whether 24 digits are a Moroccan account number (RIB): 22, and a key of two, modulo 97."""
    return len(digits) == RIB_DIGITS and digits.strip("0") != "" and int(digits) % 97 == 0


def iban_in(letters: str) -> str:
    """The IBAN that a run of capital letters and digits begins with, or empty (ISO 13616)."""
    length = _IBAN_LENGTHS.get(letters[:2], 0)
    found = letters[:length]
    if not length or len(found) < length or not found.isalnum() or not found.isascii():
        return ""
    turned = found[4:] + found[:4]
    return found if int("".join(str(int(one, 36)) for one in turned)) % 97 == 1 else ""


def coin_of(word: str) -> str:
    """`bitcoin`, `ethereum` or `tron` where a word is an address of that kind; or empty."""
    if _is_ethereum(word):
        return "ethereum"
    if word.lower().startswith("bc1"):
        return "bitcoin" if _is_bech32(word) else ""
    version = _base58_version(word)
    if version in _BITCOIN_VERSIONS:
        return "bitcoin"
    return "tron" if version == _TRON_VERSION else ""


def public_address(word: str) -> str:
    """An IP address that belongs to somebody, in its one spelling; or empty."""
    try:
        found = ipaddress.ip_address(word)
    except ValueError:
        return ""
    return str(found) if found.is_global else ""


def is_hex(word: str, digits: int) -> bool:
    """Whether a word is that many hexadecimal digits."""
    return len(word) == digits and all(one in "0123456789abcdefABCDEF" for one in word)


def _is_ethereum(word: str) -> bool:
    return word[:2] in ("0x", "0X") and is_hex(word[2:], 40) and word[2:].strip("0") != ""


def _base58_version(word: str) -> int:
    """The version byte of a base58check address, or -1."""
    if not word or len(word) > _BASE58_MOST or any(one not in _BASE58 for one in word):
        return -1
    value = 0
    for one in word:
        value = value * 58 + _BASE58.index(one)
    zeros = len(word) - len(word.lstrip("1"))
    body = value.to_bytes((value.bit_length() + 7) // 8, "big")
    raw = bytes(zeros) + body
    if len(raw) != _ADDRESS_BYTES:
        return -1
    check = hashlib.sha256(hashlib.sha256(raw[:-4]).digest()).digest()[:4]
    return raw[0] if check == raw[-4:] else -1


def _is_bech32(word: str) -> bool:
    low = word.lower()
    if len(word) > _BECH32_MOST or word not in (low, word.upper()):
        return False
    prefix, _, data = low.rpartition("1")
    if any(one not in _BECH32 for one in data):
        return False
    values = [ord(one) >> 5 for one in prefix] + [0] + [ord(one) & 31 for one in prefix]
    check = 1
    for value in [*values, *(_BECH32.index(one) for one in data)]:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_BECH32_GENERATORS):
            check ^= generator if top >> bit & 1 else 0
    return check in _BECH32_ENDS
