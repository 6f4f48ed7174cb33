"""What to do about a refusal, in a sentence: for the command line and the documentation.

Rule: one sentence for each reason of sanitizer.errors; the site has its own, translated.
"""

ADVICE = {
    "unsupported": "a format, or something in it, that cannot be cleaned here: send it as one of "
    "the formats that can (amana-sanitize --formats), for example as a PDF, JPEG or MP4",
    "malformed": "not a whole file of its format: open it in its program and save it anew",
    "encrypted": "locked with a password: remove the password in the program that set it",
    "too_large": "longer than the limit: cut or shrink it, or send it in parts",
    "image_too_large": "more bytes than a picture or document may have: save it smaller",
    "too_many_pixels": "more pixels than can be judged: save it at a smaller size",
    "too_complex": "more parts, or more work, than the limits allow: save it anew, or in parts",
    "empty": "there is nothing in it: no bytes, no picture or no page",
    "unavailable": "this machine cannot lock in what reads such files: a newer Linux kernel can",
    "unreadable": "the file cannot be read: look at its permissions",
    "not_a_file": "a link or a device: name the file itself",
    "unwritable": "the copy cannot have its name where it should be: choose another place",
}
"""By reason; the last three are those of ``amana-sanitize`` alone."""
