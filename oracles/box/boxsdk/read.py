"""Reads users, events and files of an enterprise with the vendor's client; a line of JSON for each."""

import hashlib
import json
import sys

from box_sdk_gen import BoxCCGAuth, BoxClient, BaseUrls, CCGConfig, NetworkSession
from box_sdk_gen.managers.events import GetEventsStreamType
from box_sdk_gen.managers.users import GetUsersUserType

base, client_id, client_secret, enterprise = sys.argv[1:5]
client = BoxClient(
    auth=BoxCCGAuth(CCGConfig(client_id, client_secret, enterprise_id=enterprise)),
    network_session=NetworkSession(base_urls=BaseUrls(base_url=base, upload_url=base + "/api", oauth_2_url=base + "/oauth2")),
)
FIELDS = ["id", "type", "name", "size", "sha1", "owned_by", "is_externally_owned"]


def say(stream, key, **more):
    print(json.dumps({"stream": stream, "key": key, **more}))


def pages(read):
    marker = None
    while True:
        page = read(marker)
        yield from page.entries
        marker = getattr(page, "next_marker", None)
        if not marker:
            return


def walk(own, owner):
    todo = ["0"]
    while todo:
        folder = todo.pop()
        for item in pages(lambda m: own.folders.get_folder_items(folder, usemarker=True, limit=100, marker=m, fields=FIELDS)):
            kind = getattr(item.type, "value", item.type)
            if kind == "folder":
                todo.append(item.id)
            elif item.owned_by and item.owned_by.id == owner:
                yield kind, item


users = list(pages(lambda m: client.users.get_users(user_type=GetUsersUserType.MANAGED, usemarker=True, limit=100, marker=m)))
for u in users:
    say("users", u.id)
position = "0"
while True:
    page = client.events.get_events(stream_type=GetEventsStreamType.ADMIN_LOGS_STREAMING, stream_position=position, limit=500)
    for e in page.entries:
        say("events", e.event_id)
    if not page.entries:
        break
    position = str(page.next_stream_position)
for u in users:
    if u.status.value != "active":
        continue
    own = client.with_as_user_header(u.id)
    for n, (kind, item) in enumerate(walk(own, u.id)):
        same = None
        if kind == "file" and n % 10 == 0:
            same = hashlib.sha1(own.downloads.download_file(item.id).read()).hexdigest() == item.sha_1.lower()
        say("files", item.id, kind=kind, same=same)
