"""An untrusted file in; a clean file out, or a refusal with a reason.  Page: docs/SANITIZER.md."""
