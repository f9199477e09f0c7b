"""Reads Office files out of two archives, as they were and with labels, with the readers of others: a line of JSON for each file,
with whether its texts are the same and the custom properties that it then has."""
import io
import json
import sys
import warnings
import zipfile

import docx
import openpyxl
import pptx
from lxml import etree

from read import kinds

warnings.simplefilter("ignore")


def of_package(package):
    """The custom properties of a package; the readers of Word and PowerPoint files have none of their own."""
    for rel in package._rels.values() if hasattr(package, "_rels") else package.rels.values():
        if rel.reltype.rsplit("/", 1)[-1] in ("custom-properties", "customProperties"):
            root = etree.fromstring(rel.target_part.blob)
            return {p.get("name"): "".join(p.itertext()) for p in root}
    return {}


def word(data):
    return of_package(docx.Document(data).part.package)


def sheet(data):
    return {p.name: str(p.value) for p in openpyxl.load_workbook(data).custom_doc_props}


def slides(data):
    return of_package(pptx.Presentation(data).part.package)


props = {".docx": word, ".docm": word, ".xlsx": sheet, ".xlsm": sheet, ".pptx": slides, ".pptm": slides}


def texts(kind, data):
    try:
        return list(kinds[kind](io.BytesIO(data)))
    except Exception as e:
        return f"{type(e).__name__}: {e}"


with zipfile.ZipFile(sys.argv[1]) as before, zipfile.ZipFile(sys.argv[2]) as after:
    for name in after.namelist():
        kind = name[-5:].lower()
        if kind not in kinds:
            continue
        was, now = texts(kind, before.read(name)), texts(kind, after.read(name))
        line = {"name": name, "same": was == now, "texts": len(was) if isinstance(was, list) else 0}
        if isinstance(was, str):
            line["error"] = was[:200]
        else:
            line["props"] = props[kind](io.BytesIO(after.read(name)))
        print(json.dumps(line))
