"""Reads what a client and a server of AWS said to each other, a JSON object a line, and checks both against botocore's models.

Requests are read back into parameters, validated, and compared with what botocore itself sends for these parameters. Answers are
parsed by botocore and then walked: members that must be there, enumerations, members that the model does not have.
"""
import base64
import io
import json
import re
import sys
import urllib.parse
import xml.etree.ElementTree as ET

import botocore.parsers
import botocore.serialize
import botocore.session
import botocore.validate

session = botocore.session.get_session()
names = {"sso": "sso-admin", "access-analyzer": "accessanalyzer"}
models, counts, problems = {}, {}, {}
# What a service answers whatever it was asked for.
common = set("""AccessDenied AccessDeniedException ExpiredToken ExpiredTokenException Throttling ThrottlingException RequestThrottled
 ValidationError ValidationException InvalidClientTokenId UnrecognizedClientException SignatureDoesNotMatch InvalidSignatureException
 PermanentRedirect PreconditionFailed NoSuchBucket NoSuchKey NoSuchVersion NoSuchBucketPolicy NoSuchPublicAccessBlockConfiguration
 OwnershipControlsNotFoundError InvalidObjectState InvalidRequest MethodNotAllowed AccessControlListNotSupported SlowDown
 403 404 405 400 412 301""".split())


def model(service):
    if service not in models:
        models[service] = session.get_service_model(service)
    return models[service]


def problem(op, what):
    problems.setdefault((op, what), 0)
    problems[op, what] += 1


def find(x):
    """The model and operation of a request, with what its path holds."""
    service = names.get(x["Service"], x["Service"])
    path, _, query = x["Target"].partition("?")
    if service == "s3" and path.startswith("/v20180820/"):
        service = "s3control"
    m = model(service)
    if "x-amz-target" in x["Header"]:
        prefix, name = x["Header"]["x-amz-target"].rsplit(".", 1)
        if prefix != m.metadata["targetPrefix"]:
            problem(name, "target prefix " + prefix)
        return m, m.operation_model(name), {}
    if m.metadata["protocol"] in ("query", "ec2"):
        return m, m.operation_model(dict(urllib.parse.parse_qsl(base64.b64decode(x["Body"]).decode()))["Action"]), {}
    asked = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
    best = None
    for name in m.operation_names:
        op = m.operation_model(name)
        if op.http["method"] != x["Method"] or (name in ("CopyObject", "UploadPartCopy")) != ("x-amz-copy-source" in x["Header"]):
            continue
        want, _, flags = op.http["requestUri"].partition("?")
        pattern = re.sub(r"\\{(\w+)\\\+\\}", r"(?P<\1>.+)", re.escape(want))
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", pattern)
        at = re.fullmatch(pattern + "/?", path)
        need = dict(urllib.parse.parse_qsl(flags, keep_blank_values=True))
        if not at or any(k not in asked or v and asked[k] != v for k, v in need.items()):
            continue
        required = [m.shape_for(s.name) and s for k, s in op.input_shape.members.items()
                    if k in op.input_shape.required_members and s.serialization.get("location") == "querystring"] if op.input_shape else []
        if any(s.serialization.get("name") not in asked for s in required):
            continue
        score = (len(need), len(at.groupdict()), -len(name), name != "ListObjects")
        if best is None or score > best[0]:
            best = score, op, {k: urllib.parse.unquote(v) for k, v in at.groupdict().items()}
    if best is None:
        raise KeyError(x["Method"] + " " + x["Target"])
    return m, best[1], best[2]


def scalar(shape, text):
    kind = shape.type_name
    if kind in ("integer", "long"):
        return int(text)
    if kind in ("float", "double"):
        return float(text)
    if kind == "boolean":
        return text == "true"
    return text


def from_form(shape, form, prefix):
    """Parameters of the query protocol."""
    if shape.type_name == "structure":
        out = {}
        for k, s in shape.members.items():
            at = prefix + ("." if prefix else "") + s.serialization.get("name", k)
            if any(n == at or n.startswith(at + ".") for n in form):
                out[k] = from_form(s, form, at)
        return out
    if shape.type_name == "list":
        at = prefix if shape.serialization.get("flattened") else prefix + "." + shape.member.serialization.get("name", "member")
        out, i = [], 1
        while any(n == f"{at}.{i}" or n.startswith(f"{at}.{i}.") for n in form):
            out.append(from_form(shape.member, form, f"{at}.{i}"))
            i += 1
        return out
    return scalar(shape, form[prefix])


def bare(tag):
    return tag.split("}")[-1]


def from_xml(shape, node, op):
    if shape.type_name == "structure":
        out, known = {}, {}
        for k, s in shape.members.items():
            known[s.serialization.get("name", k)] = k, s
        for child in node:
            if bare(child.tag) not in known:
                problem(op, f"{shape.name} has no {bare(child.tag)}")
                continue
            k, s = known[bare(child.tag)]
            if s.type_name == "list" and s.serialization.get("flattened"):
                out.setdefault(k, []).append(from_xml(s.member, child, op))
            else:
                out[k] = from_xml(s, child, op)
        for k, s in shape.members.items():  # attributes
            if s.serialization.get("xmlAttribute"):
                for a, v in node.attrib.items():
                    if bare(a) == s.serialization["name"].split(":")[-1]:
                        out[k] = v
        return out
    if shape.type_name == "list":
        return [from_xml(shape.member, child, op) for child in node]
    return scalar(shape, node.text or "")


def parameters(m, op, x, path):
    """The parameters that a request stands for."""
    shape, body = op.input_shape, base64.b64decode(x["Body"])
    protocol = m.metadata["protocol"]
    if shape is None:
        return {}
    if protocol == "json":
        return json.loads(body or b"{}")
    if protocol in ("query", "ec2"):
        form = dict(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True))
        out = from_form(shape, form, "")
        used = {"Action", "Version"}
        for k in form:
            if k not in used and not any(k == n or k.startswith(n + ".") for n in
                                         [s.serialization.get("name", n) for n, s in shape.members.items()]):
                problem(op.name, "unknown parameter " + k)
        return out
    out = dict(path)
    asked = dict(urllib.parse.parse_qsl(x["Target"].partition("?")[2], keep_blank_values=True))
    fixed = dict(urllib.parse.parse_qsl(op.http["requestUri"].partition("?")[2], keep_blank_values=True))
    payload, rest = shape.serialization.get("payload"), {}
    for k, s in shape.members.items():
        where, name = s.serialization.get("location"), s.serialization.get("name", k)
        if where == "querystring" and name in asked:
            out[k] = scalar(s, asked.pop(name))
        elif where == "header" and name.lower() in x["Header"]:
            out[k] = scalar(s, x["Header"][name.lower()]) if s.type_name != "timestamp" else x["Header"][name.lower()]
        elif where is None and k != payload:
            rest[k] = s
    for k in asked:
        if k not in fixed:
            problem(op.name, "unknown query parameter " + k)
    if payload and body:
        s = shape.members[payload]
        out[payload] = body if s.type_name in ("blob", "string") else from_xml(s, ET.fromstring(body), op.name)
        if s.type_name == "string":
            out[payload] = body.decode()
    elif protocol == "rest-json" and body:
        for k, v in json.loads(body).items():
            hit = [n for n, s in rest.items() if s.serialization.get("name", n) == k]
            if hit:
                out[hit[0]] = v
            else:
                problem(op.name, "unknown member " + k)
    return out


def enums(shape, val, op, at=""):
    """Enumerations, and members that must be there or are unknown, of parameters or of a parsed answer."""
    if val is None:
        return
    if shape.type_name == "structure":
        for k, v in val.items():
            if k in ("ResponseMetadata", "Error"):
                continue
            if k not in shape.members:
                problem(op, f"{at or shape.name} has no {k}")
            else:
                enums(shape.members[k], v, op, at + "." + k)
        for k in shape.required_members:
            if k not in val or val[k] is None:
                problem(op, f"{at or shape.name} lacks {k}")
    elif shape.type_name == "list":
        for v in val:
            enums(shape.member, v, op, at + "[]")
    elif shape.type_name == "map":
        for k, v in val.items():
            enums(shape.key, k, op, at + "{}")
            enums(shape.value, v, op, at + "{}")
    elif shape.type_name == "string" and shape.enum and val not in shape.enum:
        problem(op, f"{at}: {val!r} is none of {shape.enum}")


def unknown_json(shape, val, op, at=""):
    """Members of a JSON answer that the model does not have, and values of other types."""
    if shape is None or val is None:
        return
    kind = shape.type_name
    want = {"structure": dict, "list": list, "map": dict, "string": str, "boolean": bool, "integer": int, "long": int}.get(kind)
    if want and (not isinstance(val, want) or want is int and isinstance(val, bool)):
        problem(op, f"answer{at} is {val!r:.40}, want a {kind}")
    elif kind == "structure":
        known = {s.serialization.get("name", k): s for k, s in shape.members.items()}
        for k, v in val.items():
            if k in known:
                unknown_json(known[k], v, op, at + "." + k)
            else:
                problem(op, f"answer{at} has {k}, which the model has not")
    elif kind == "list":
        for v in val:
            unknown_json(shape.member, v, op, at + "[]")


def unknown_xml(shape, node, op, at=""):
    if shape is None or shape.type_name not in ("structure", "list"):
        return
    if shape.type_name == "list":
        for child in node:
            unknown_xml(shape.member, child, op, at + "[]")
        return
    known = {s.serialization.get("name", k): s for k, s in shape.members.items() if s.serialization.get("location") is None}
    for child in node:
        name = bare(child.tag)
        if name not in known:
            problem(op, f"answer{at} has <{name}>, which the model has not")
        elif known[name].type_name == "list" and known[name].serialization.get("flattened"):
            unknown_xml(known[name].member, child, op, at + "." + name)
        else:
            unknown_xml(known[name], child, op, at + "." + name)


def answer(m, op, x):
    protocol, body = m.metadata["protocol"], base64.b64decode(x["Content"])
    parser = botocore.parsers.create_parser(protocol)
    shape = op.output_shape
    blob = shape and shape.serialization.get("payload") and shape.members[shape.serialization["payload"]].type_name in ("blob", "string")
    stream = blob and x["Status"] < 300 and shape.members[shape.serialization["payload"]].type_name == "blob"
    got = parser.parse({"status_code": x["Status"], "headers": x["Answer"], "body": io.BytesIO(body) if stream else body}, shape)
    if x["Status"] >= 300:
        code = got.get("Error", {}).get("Code", "")
        shapes = {e.name for e in op.error_shapes} | {e.metadata.get("error", {}).get("code") for e in op.error_shapes}
        if code.split(".")[-1] not in shapes | common and not code.startswith("AWS.SimpleQueueService"):
            problem(op.name, f"error {code!r} ({x['Status']}) is none of the operation's")
        for e in op.error_shapes:
            meta = e.metadata.get("error", {})
            if code in (e.name, meta.get("code")) and meta.get("httpStatusCode", x["Status"]) != x["Status"] and protocol != "json":
                problem(op.name, f"error {code} with {x['Status']}, want {meta['httpStatusCode']}")
        return
    if shape is None:
        return
    if not blob and body:
        if protocol in ("json", "rest-json"):
            unknown_json(shape, json.loads(body), op.name)
        else:
            node = ET.fromstring(body)
            if protocol == "query":
                wrapper = shape.serialization.get("resultWrapper")
                node = next((c for c in node if bare(c.tag) == wrapper), None)
                if node is None:
                    problem(op.name, f"answer has no <{wrapper}>")
                    return
            inner = shape.serialization.get("payload")
            if protocol != "ec2":
                unknown_xml(shape.members[inner] if inner else shape, node, op.name)
    if not blob:
        if op.name == "GetBucketLocation":
            return  # its answer is of a form that botocore repairs elsewhere
        enums(shape, got, op.name)


def resent(m, op, params, x):
    """What botocore sends for the same parameters."""
    serializer = botocore.serialize.create_serializer(m.metadata["protocol"], include_validation=False)
    sent = serializer.serialize_to_request(params, op)
    body = base64.b64decode(x["Body"])
    mine = sent["body"]
    if m.metadata["protocol"] in ("json", "rest-json"):
        same = json.loads(mine or b"{}") == json.loads(body or b"{}")
    elif m.metadata["protocol"] in ("query", "ec2"):
        same = {k: str(v) for k, v in mine.items()} == dict(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True))
    else:
        mine = mine if isinstance(mine, bytes) else (mine or "").encode()
        same = mine == body or bool(mine) and bool(body) and tree(mine) == tree(body)
    if not same:
        problem(op.name, f"body {body[:300]!r}, botocore sends {mine!r:.300}")
    path = urllib.parse.unquote(x["Target"].partition("?")[0])
    if urllib.parse.unquote(sent["url_path"].partition("?")[0]).rstrip("/") != path.rstrip("/"):
        problem(op.name, f"path {path}, botocore asks {sent['url_path']}")


def tree(text):
    try:
        node = ET.fromstring(text)
    except ET.ParseError:
        return text
    return flat(node)


def flat(n):
    return bare(n.tag), (n.text or "").strip(), [flat(c) for c in n]


for line in open(sys.argv[1]):
    x = json.loads(line)
    try:
        m, op, path = find(x)
    except Exception as e:  # noqa: BLE001
        problem(x["Service"], f"no such operation: {e}")
        continue
    counts[m.service_name + " " + op.name] = counts.get(m.service_name + " " + op.name, 0) + 1
    try:
        params = parameters(m, op, x, path)
        if op.input_shape is not None:
            report = botocore.validate.ParamValidator().validate(
                {k: v for k, v in params.items() if op.input_shape.members.get(k) is None or op.input_shape.members[k].type_name != "timestamp"},
                op.input_shape)
            if report.has_errors():
                problem(op.name, report.generate_report())
            if x["Status"] < 400:
                enums(op.input_shape, params, op.name)
            resent(m, op, params, x)
        answer(m, op, x)
    except Exception as e:  # noqa: BLE001
        problem(op.name, f"cannot be read: {type(e).__name__} {e}")

json.dump({"operations": counts, "problems": [f"{op} ({n} times): {what}" for (op, what), n in problems.items()]}, sys.stdout)
