"""MPEG audio, layer III (ISO/IEC 11172-3, 2.4 and ISO/IEC 13818-3, 2.4)."""
