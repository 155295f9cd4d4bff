#!/usr/bin/env bash
# Runs the given command with a real S3-compatible server (moto, from PyPI) with one key, given in BYTESHOP_TEST_S3_*.
set -euo pipefail
place=target/s3
[ -x "$place/bin/moto_server" ] || { python3 -m venv "$place" && "$place/bin/pip" -q install 'moto[server,s3]==5.*' boto3; }
port=$(python3 -c 'import socket; it = socket.socket(); it.bind(("127.0.0.1", 0)); print(it.getsockname()[1])')
# The first requests, which create the key and the bucket, need no key; all others do.
INITIAL_NO_AUTH_ACTION_COUNT=4 "$place/bin/moto_server" -H 127.0.0.1 -p "$port" > "$place/server.log" 2>&1 &
server=$!
trap 'kill $server' EXIT
export BYTESHOP_TEST_S3_ENDPOINT=http://127.0.0.1:$port BYTESHOP_TEST_S3_BUCKET=shop
read -r BYTESHOP_TEST_S3_KEY_ID BYTESHOP_TEST_S3_SECRET < <("$place/bin/python" - "$BYTESHOP_TEST_S3_ENDPOINT" <<'PYTHON'
import json, sys, boto3
from botocore.config import Config
of = dict(endpoint_url=sys.argv[1], region_name="us-east-1", aws_access_key_id="any", aws_secret_access_key="any",
          config=Config(retries={"max_attempts": 30, "mode": "standard"}))
iam = boto3.client("iam", **of)
iam.create_user(UserName="shop")
allowed = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
iam.put_user_policy(UserName="shop", PolicyName="files", PolicyDocument=json.dumps(allowed))
key = iam.create_access_key(UserName="shop")["AccessKey"]
boto3.client("s3", **of).create_bucket(Bucket="shop")
print(key["AccessKeyId"], key["SecretAccessKey"])
PYTHON
)
export BYTESHOP_TEST_S3_KEY_ID BYTESHOP_TEST_S3_SECRET
"$@"
