"""Reads Office files out of an archive with the readers of others: a line of JSON for each, with the texts in it."""
import datetime
import io
import json
import sys
import warnings
import zipfile

import docx
import openpyxl
import pptx

warnings.simplefilter("ignore")


def word(data):
    doc = docx.Document(data)

    def block(parent):
        for p in parent.paragraphs:
            yield p.text
        for t in parent.tables:
            for row in t.rows:
                for cell in row.cells:
                    yield from block(cell)

    yield from block(doc)
    for s in doc.sections:
        for part in (s.header, s.footer):
            if not part.is_linked_to_previous:
                yield from block(part)


def sheet(data):
    book = openpyxl.load_workbook(data, data_only=True)
    for s in book.worksheets:
        yield s.title
        for row in s.iter_rows():
            for cell in row:
                v = cell.value
                if isinstance(v, (str, int)) and not isinstance(v, bool):
                    yield str(v)
                if cell.comment:
                    yield cell.comment.text


def slides(data):
    def shapes(all):
        for s in all:
            if s.has_text_frame:
                for p in s.text_frame.paragraphs:
                    yield p.text
            if getattr(s, "has_table", False) and s.has_table:
                for row in s.table.rows:
                    for cell in row.cells:
                        yield cell.text
            if s.shape_type == 6:
                yield from shapes(s.shapes)

    for s in pptx.Presentation(data).slides:
        yield from shapes(s.shapes)
        if s.has_notes_slide:
            yield from shapes(s.notes_slide.shapes)


kinds = {".docx": word, ".docm": word, ".xlsx": sheet, ".xlsm": sheet, ".pptx": slides, ".pptm": slides}


def main():
    with zipfile.ZipFile(sys.argv[1]) as jar:
        for name in jar.namelist():
            read = kinds.get(name[-5:].lower())
            if not read or not name.startswith("test-documents/"):
                continue
            line = {"name": name}
            try:
                line["texts"] = list(read(io.BytesIO(jar.read(name))))
            except Exception as e:
                line["error"] = f"{type(e).__name__}: {e}"[:200]
            print(json.dumps(line))


if __name__ == "__main__":
    main()
