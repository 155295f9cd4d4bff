#!/usr/bin/env python3
"""Trims PayPal's OpenAPI documents to what `byteshop paypal-sandbox` serves: python3 scripts/trim-paypal.py FOLDER_OF_THE_ORIGINALS

Keeps the operations below with every schema that they reach, and drops what no validation reads: descriptions, titles, examples,
headers, and the means of payment that the sandbox does not have. Writes paypal-sandbox/openapi/*.json.
"""

import json
import pathlib
import sys

OPERATIONS = {
    "checkout_orders_v2": ["orders.create", "orders.get", "orders.authorize", "orders.capture"],
    "payments_payment_v2": [
        "authorizations.get", "authorizations.capture", "authorizations.reauthorize", "authorizations.void",
        "captures.get", "captures.refund", "refunds.get",
    ],
    "payments_payouts_batch_v1": ["payouts.post", "payouts.get", "payouts-item.get", "payouts-item.cancel"],
    "customer_disputes_v1": ["disputes.list", "disputes.get", "disputes.provide-evidence", "disputes.accept-claim"],
    "notifications_webhooks_v1": [
        "webhooks.post", "webhooks.list", "webhooks.get", "webhooks.delete", "verify-webhook-signature.post",
        "webhooks-events.list", "webhooks-events.get", "webhooks-events.resend",
    ],
}
DROPPED = {"description", "title", "example", "examples", "externalDocs", "deprecated", "default"}
# The program's regular expressions cannot look ahead; without it they only accept numbers as well.
LOOK_AHEAD = r"(?!\d+$)"
# The sandbox has PayPal's own wallet alone.
ONLY_PAYPAL = ["payment_source", "payment_source_response"]


def trimmed(value, named=False):
    """Without the members that no validation reads; the names of properties, schemas and statuses are not members."""
    if isinstance(value, dict):
        kept = ((key, member) for key, member in value.items() if named or not (key in DROPPED or key.startswith("x-")))
        return {key: trimmed(member, not named and key in ("properties", "schemas", "responses")) for key, member in kept}
    if isinstance(value, str):
        return value.replace(LOOK_AHEAD, "")
    return [trimmed(member) for member in value] if isinstance(value, list) else value


def one_enum(value):
    """`anyOf` over objects that each allow one issue in one wording becomes one list of issues, in any wording."""
    if isinstance(value, list):
        return [one_enum(member) for member in value]
    if not isinstance(value, dict):
        return value
    choices = [choice.get("properties", {}) for choice in value.get("anyOf", [])]
    if choices and all("enum" in choice.get("issue", {}) and set(choice) <= {"issue", "description"} for choice in choices):
        names = sorted({name for choice in choices for name in choice["issue"]["enum"]})
        return {"properties": {"issue": {"type": "string", "enum": names}}}
    return {key: one_enum(member) for key, member in value.items()}


def references(value):
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for member in value.values():
            yield from references(member)
    elif isinstance(value, list):
        for member in value:
            yield from references(member)


def document(original, wanted):
    original = one_enum(trimmed(original))
    schemas = original["components"]["schemas"]
    for name in ONLY_PAYPAL:
        if name in schemas:
            schemas[name]["properties"] = {"paypal": schemas[name]["properties"]["paypal"]}
    paths = {}
    for path, methods in original["paths"].items():
        for method, operation in methods.items():
            if not isinstance(operation, dict) or operation.get("operationId") not in wanted:
                continue
            kept = {key: operation[key] for key in ("operationId", "requestBody", "responses") if key in operation}
            for response in kept["responses"].values():
                response.pop("headers", None)
            paths.setdefault(path, {})[method] = kept
    components, queue = {}, list(references(paths))
    while queue:
        kind, name = queue.pop().removeprefix("#/components/").split("/")
        if name not in components.setdefault(kind, {}):
            components[kind][name] = original["components"][kind][name]
            queue.extend(references(components[kind][name]))
    components = {kind: dict(sorted(members.items())) for kind, members in sorted(components.items())}
    return {"openapi": original["openapi"], "info": {"title": "PayPal, trimmed", "version": original["info"]["version"]},
            "paths": paths, "components": components}


def lines(value, depth=2):
    """JSON with a line for each path and each schema, which keeps differences readable."""
    if depth == 0 or not isinstance(value, dict):
        return json.dumps(value, separators=(",", ":"))
    return "{\n" + ",\n".join(f"{json.dumps(key)}: {lines(member, depth - 1 + (key == 'components'))}" for key, member in value.items()) + "\n}"


originals = pathlib.Path(sys.argv[1])
target = pathlib.Path(__file__).parent.parent / "paypal-sandbox/openapi"
for name, wanted in OPERATIONS.items():
    text = json.loads((originals / f"{name}.json").read_text())
    (target / f"{name}.json").write_text(lines(document(text, wanted)) + "\n")
