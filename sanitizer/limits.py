"""How much of anything one file may ask for.

Rule: every bound is here, with its unit, frozen, and handed down by hand.
"""

from dataclasses import dataclass

MiB = 1024 * 1024
GiB = 1024 * MiB


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one cleaning. The defaults suit a gateway with 1 GiB of memory to spare."""

    file_bytes: int = 2 * GiB
    """Longest file of any format, in bytes."""
    image_bytes: int = 256 * MiB
    """Longest JPEG or PNG, in bytes."""
    image_pixels: int = 200_000_000
    """Most pixels one image may declare (width times height, over all frames together)."""
    image_side: int = 65_535
    """Longest side of an image, in pixels."""
    image_parts: int = 20_000
    """Most segments or chunks in one image."""
    decoded_pixels: int = 20_000_000
    """Most pixels in one picture or frame that has to be decoded."""
    recoded_pixels: int = 12_600_000
    """Most pixels in one picture or frame that has to be decoded and coded again."""
    decoding_pixels: int = 1_000_000_000
    """Most pixels to be decoded for one WebP, over all frames and attempts together."""
    small_decoding_pixels: int = 250_000_000
    """The same for the smallest WebP; each of its bytes allows for more."""
    decoding_pixels_per_byte: int = 500
    """How many more pixels each byte of a WebP allows for."""
    animation_pixels: int = 300_000_000
    """Most pixels that one animated GIF may declare, over all frames together."""
    small_animation_pixels: int = 100_000_000
    """The same for the smallest GIF; each of its bytes allows for more."""
    animation_pixels_per_byte: int = 100
    """How many more pixels each byte of a GIF allows for."""
    gif_blocks: int = 4_000_000
    """Most sub-blocks in one GIF."""
    image_index_bytes: int = 8 * MiB
    """Longest index of a HEIC, AVIF or TIFF, in bytes."""
    image_sample_bytes: int = 512 * MiB
    """Most bytes of samples, all pages of one TIFF together."""
    image_pages: int = 2_000
    """Most pages of one TIFF."""
    video_boxes: int = 200_000
    """Most boxes in one video file, input or output."""
    video_samples: int = 4_000_000
    """Most samples (frames, audio packets) in one video file."""
    video_small_chunks: int = 1_000_000
    """Most chunks of less than 64 bytes in one AVI: empty frames, and bombs made of them."""
    video_small_frames: int = 1_000_000
    """Most frames of less than 8 bytes in one track of an MP4: empty ones, and bombs of them."""
    video_tracks: int = 32
    """Most tracks in one video file, kept or not."""
    moov_bytes: int = 48 * MiB
    """Longest index of a video, in bytes."""
    sample_bytes: int = 64 * MiB
    """Longest single frame, in bytes."""
    sound_frames: int = 4_000_000
    """Most frames or packets in one file of sound."""
    sound_packet_bytes: int = 4 * MiB
    """Longest frame or packet of a sound, in bytes; of longer ones the start alone is held."""
    sound_resyncs: int = 4096
    """How often the next whole frame or page of a sound may be looked for in vain."""
    sound_parts: int = 4096
    """Most headers, tags, streams and empty pages in one file of sound."""
    stream_seconds: int = 60
    """Wall clock for a video or a sound of any length, in seconds."""
    stream_bytes_per_second: int = 1_000_000
    """How fast a video or a sound must pass beyond that, in bytes a second."""
    stream_most_seconds: int = 1800
    """Wall clock for the longest video or sound, in seconds."""
    child_seconds: int = 900
    """Wall clock for one run of ffmpeg, in seconds."""
    child_cpu_seconds: int = 600
    """CPU time for one run of ffmpeg, in seconds."""
    child_memory_bytes: int = 1 * GiB
    """Address space of ffmpeg, in bytes."""
    text_bytes: int = 8 * MiB
    """Longest plain text, in bytes."""
    pdf_bytes: int = 128 * MiB
    """Longest PDF, in bytes."""
    pdf_pages: int = 5_000
    """Most pages of a PDF."""
    pdf_objects: int = 50_000
    """Most objects of a PDF, once it is made anew."""
    pdf_annotations: int = 20_000
    """Most form fields and annotations of a PDF."""
    pdf_stream_bytes: int = 32 * MiB
    """Longest stream of a PDF that is no picture, unpacked, in bytes."""
    pdf_image_bytes: int = 128 * MiB
    """Longest picture of a PDF, unpacked, in bytes."""
    pdf_operations: int = 2_000_000
    """All drawing instructions of a PDF together."""
    pdf_expansion: int = 200
    """How many times longer than its file a long stream may be that is no picture."""
    pdf_decoded_bytes: int = 1 * GiB
    """All streams of a PDF together, unpacked, in bytes."""
    pdf_drawings: int = 20_000_000
    """How often, in all, a page of a PDF may draw forms within forms."""
    output_slack_bytes: int = 16 * MiB
    """How many bytes longer than its input a cleaned video may be."""
    worker_seconds: int = 60
    """Wall clock for one file in a jailed worker, in seconds."""
    worker_wait_seconds: int = 60
    """How long a file waits for a free processor, in seconds, before it is refused."""
    worker_memory_bytes: int = 512 * MiB
    """Address space of a jailed worker beyond what it begins with, in bytes."""
    worker_bytes: int = 128 * MiB
    """Most bytes of a result that are not the source's own, by their place."""
    worker_pieces: int = 200_000
    """Most pieces of a result."""
