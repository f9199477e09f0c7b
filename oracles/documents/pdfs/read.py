"""Reads the PDFs in a folder with MuPDF: a line of JSON for each, with the text of its pages, form fields and comments."""
import json
import pathlib
import sys

import pymupdf

pymupdf.TOOLS.mupdf_display_errors(False)
pymupdf.TOOLS.mupdf_display_warnings(False)
# Ligatures as letters, words that are hyphenated at the end of a line as one; what lies outside of the page, too.
flags = pymupdf.TEXT_DEHYPHENATE | pymupdf.TEXT_PRESERVE_WHITESPACE
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    line = {"name": path.name}
    try:
        with pymupdf.open(path, filetype="pdf") as doc:
            if doc.needs_pass:
                line["error"] = "it needs a password"
            else:
                line["text"] = "\n".join(page.get_text("text", flags=flags) for page in doc)
    except Exception as e:
        line["error"] = f"{type(e).__name__}: {e}"[:200]
    print(json.dumps(line))
