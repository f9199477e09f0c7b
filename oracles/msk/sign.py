"""Signs a log-on to MSK with botocore. Input: a JSON object with id, secret, token, region, host, date. Output: the query."""

import datetime
import json
import sys
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.credentials

asked = json.load(sys.stdin)
at = datetime.datetime.strptime(asked["date"], "%Y%m%dT%H%M%SZ")
botocore.auth.get_current_datetime = lambda *_, **__: at
request = botocore.awsrequest.AWSRequest("GET", f"https://{asked['host']}/?Action=kafka-cluster%3AConnect", data=b"")
who = botocore.credentials.Credentials(asked["id"], asked["secret"], asked["token"] or None)
botocore.auth.SigV4QueryAuth(who, "kafka-cluster", asked["region"], expires=900).add_auth(request)
json.dump(dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(request.url).query)), sys.stdout)
