"""Reads an org by simple-salesforce and changes it: JSON on stdin says where and as whom, JSON on stdout what was read.

The library insists on https and on names of Salesforce's; an adapter sends what goes there to the address on stdin."""
import base64
import csv
import hashlib
import io
import json
import sys
from urllib.parse import urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceMalformedRequest, SalesforceResourceNotFound

given = json.load(sys.stdin)


class There(HTTPAdapter):
    def send(self, request, **kwargs):
        to, at = urlsplit(given["base"]), urlsplit(request.url)
        request.url = urlunsplit((to.scheme, to.netloc, at.path, at.query, ""))
        return super().send(request, **kwargs)


session = requests.Session()
session.mount("https://", There())
sf = Salesforce(username=given["username"], consumer_key=given["client_id"], privatekey=given["private_key"], version="62.0",
                session=session, instance_url="contoso.my")


def ids(query, field="Id", deleted=False):
    return [r[field] for r in sf.query_all_iter(query, include_deleted=deleted)]


def content(obj, record, part):
    url = sf.base_url + "sobjects/" + obj + "/" + record + "/" + part
    answer = session.get(url, headers=sf.headers)
    answer.raise_for_status()
    return answer.content


def lines():
    out = []
    for f in sf.query_all_iter("SELECT Id, LogFileLength, LogFileFieldNames FROM EventLogFile WHERE Interval = 'Hourly' ORDER BY CreatedDate, Id"):
        text = content("EventLogFile", f["Id"], "LogFile")
        rows = list(csv.reader(io.StringIO(text.decode(), newline="")))
        assert ",".join(rows[0]) == f["LogFileFieldNames"], f
        assert len(text) == f["LogFileLength"], f
        assert all(len(r) == len(rows[0]) for r in rows), f
        out += [f["Id"] + ":" + str(n) for n in range(1, len(rows))]
    return out


def versions():
    out = []
    query = ("SELECT Id, ContentDocumentId, Checksum, ContentSize, Title, PathOnClient, Owner.Username FROM ContentVersion "
             "WHERE IsLatest = true")
    for v in sf.query_all_iter(query):
        data = content("ContentVersion", v["Id"], "VersionData")
        assert hashlib.md5(data).hexdigest() == v["Checksum"] and len(data) == v["ContentSize"], v
        assert v["Owner"]["Username"].endswith("@contoso.example"), v
        out.append(v["ContentDocumentId"])
    return out


def govern():
    user = sf.query("SELECT Id FROM User WHERE Username = 'user2@contoso.example'")["records"][0]["Id"]
    login = sf.query("SELECT Id, IsFrozen FROM UserLogin WHERE UserId = '%s'" % user)["records"][0]
    assert login["IsFrozen"] is False
    assert sf.UserLogin.update(login["Id"], {"IsFrozen": True}) == 204
    assert sf.UserLogin.get(login["Id"])["IsFrozen"] is True
    assert sf.User.update(user, {"IsActive": False}) == 204
    assert sf.User.get(user)["IsActive"] is False
    assert sf.query("SELECT Id FROM AuthSession WHERE UsersId = '%s'" % user)["totalSize"] == 0
    assert sf.User.update(user, {"IsActive": True}) == 204
    sf.set_password(user, "a long pass phrase")
    grant = sf.query("SELECT Id FROM PermissionSetAssignment WHERE AssigneeId = '%s'" % user)["records"][0]
    assert sf.PermissionSetAssignment.delete(grant["Id"]) == 204
    new = sf.ContentVersion.create({"PathOnClient": "plan.txt", "Title": "plan", "VersionData": base64.b64encode(b"one").decode()})
    assert new["success"], new
    version = sf.ContentVersion.get(new["id"])
    doc = version["ContentDocumentId"]
    sf.ContentVersion.create({"PathOnClient": "removed.txt", "ContentDocumentId": doc, "VersionData": base64.b64encode(b"gone").decode(),
                              "ReasonForChange": "DLP"})
    assert [content("ContentVersion", v, "VersionData") for v in
            ids("SELECT Id FROM ContentVersion WHERE ContentDocumentId = '%s' ORDER BY VersionNumber" % doc)] == [b"one", b"gone"]
    three = session.post(sf.base_url + "sobjects/ContentVersion", headers={"Authorization": sf.headers["Authorization"]}, files={
        "entity_content": (None, json.dumps({"PathOnClient": "plan.txt", "Title": "plan", "ContentDocumentId": doc, "TagCsv": "a,b"}),
                           "application/json"),
        "VersionData": ("plan.txt", b"\x00three\xff", "application/octet-stream")})
    assert three.status_code == 201, three.text
    latest = sf.ContentVersion.get(three.json()["id"])
    assert [latest[f] for f in ("IsLatest", "VersionNumber", "Title", "TagCsv", "ContentDocumentId")] == [True, "3", "plan", "a,b", doc], latest
    assert content("ContentVersion", latest["Id"], "VersionData") == b"\x00three\xff"
    try:
        sf.ContentVersion.delete(latest["Id"])
        raise AssertionError("a single version was deleted")
    except SalesforceMalformedRequest as e:
        assert e.content[0]["errorCode"] == "INVALID_TYPE_FOR_OPERATION", e.content
    link = sf.ContentDocumentLink.create({"ContentDocumentId": doc, "LinkedEntityId": user, "ShareType": "V"})
    assert sf.ContentDocumentLink.update(link["id"], {"ShareType": "C"}) == 204
    assert sf.ContentDocumentLink.delete(link["id"]) == 204
    public = sf.ContentDistribution.create({"Name": "plan", "ContentVersionId": new["id"]})
    assert sf.ContentDistribution.delete(public["id"]) == 204
    assert sf.ContentDocument.delete(doc) == 204
    try:
        sf.ContentDocument.get(doc)
        raise AssertionError("a deleted file was given")
    except SalesforceResourceNotFound as e:
        assert e.content[0]["errorCode"] == "ENTITY_IS_DELETED", e.content
    assert doc in ids("SELECT Id FROM ContentDocument WHERE IsDeleted = true", deleted=True)
    try:
        sf.query("SELECT Nothing FROM User")
        raise AssertionError("a field that is not there was given")
    except SalesforceMalformedRequest as e:
        assert e.content[0]["errorCode"] == "INVALID_FIELD", e.content
    return ["done"]


out = {
    "users": ids("SELECT Id FROM User"),
    "groups": ids("SELECT Id FROM Group"),
    "permission_sets": ids("SELECT Id FROM PermissionSet"),
    "permission_set_assignments": ids("SELECT Id FROM PermissionSetAssignment"),
    "login_history": ids("SELECT Id FROM LoginHistory ORDER BY LoginTime"),
    "setup_audit_trail": ids("SELECT Id FROM SetupAuditTrail ORDER BY CreatedDate, Id"),
    "login_event": ids("SELECT EventIdentifier FROM LoginEvent ORDER BY EventDate", "EventIdentifier"),
    "event_log_files": lines(),
    "files": versions(),
    "trash": ids("SELECT Id FROM ContentDocument WHERE IsDeleted = true", deleted=True),
}
assert {f["name"] for f in sf.LoginHistory.describe()["fields"]} > {"LoginTime", "Status"}
assert sf.limits()["DailyApiRequests"]["Remaining"] > 0
usage = sf.api_usage["api-usage"]
out["usage"] = ["%d/%d" % (usage.used, usage.total)]
out["governed"] = govern()
json.dump(out, sys.stdout)
