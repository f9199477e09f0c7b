"""Reads lines of a module of stdnum and a number, and writes 1 for each that is valid, 0 for each that is not."""
import importlib
import sys

modules = {}
out = []
for line in sys.stdin:
    name, number = line.rstrip("\n").split("\t")
    module = modules.setdefault(name, importlib.import_module("stdnum." + name))
    if name == "mx.rfc":
        valid = module.is_valid(number, validate_check_digits=True)
    else:
        valid = module.is_valid(number)
    out.append("1" if valid else "0")
print("\n".join(out))
