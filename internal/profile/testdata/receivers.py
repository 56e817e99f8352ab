"""Has django-anymail's views take requests, and SendGrid's library verify its signature.

Reads JSON lines {esp, headers, body, public_key, secret, tolerance}, writes a JSON line
of what the receiver's application would get for each: {status, events}.
"""

import base64
import json
import logging
import sys
import warnings

import django
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.test import RequestFactory

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)
settings.configure(ALLOWED_HOSTS=["*"], ANYMAIL={"WEBHOOK_SECRET": "user:password"}, USE_TZ=True)
django.setup()

from anymail.signals import tracking  # noqa: E402
from anymail.webhooks.amazon_ses import AmazonSESTrackingWebhookView  # noqa: E402
from anymail.webhooks.mailgun import MailgunTrackingWebhookView  # noqa: E402
from anymail.webhooks.postmark import PostmarkTrackingWebhookView  # noqa: E402
from anymail.webhooks.sendgrid import SendGridTrackingWebhookView  # noqa: E402
from anymail.webhooks.sparkpost import SparkPostTrackingWebhookView  # noqa: E402
from sendgrid.helpers.eventwebhook import EventWebhook  # noqa: E402

views = {
    "ses": lambda c: AmazonSESTrackingWebhookView.as_view(),
    "mailgun": lambda c: MailgunTrackingWebhookView.as_view(webhook_signing_key=c["secret"]),
    "postmark": lambda c: PostmarkTrackingWebhookView.as_view(),
    "sendgrid": lambda c: SendGridTrackingWebhookView.as_view(tracking_webhook_verification_key=c["public_key"]),
    "sparkpost": lambda c: SparkPostTrackingWebhookView.as_view(),
}
events = []


def on_event(sender, event, esp_name, **kwargs):
    events.append(
        {
            "type": event.event_type,
            "recipient": event.recipient,
            "message_id": event.message_id,
            "metadata": event.metadata,
            "tags": event.tags,
            "timestamp": event.timestamp and int(event.timestamp.timestamp()),
            "event_id": event.event_id,
        }
    )


tracking.connect(on_event)
authorization = "Basic " + base64.b64encode(b"user:password").decode()
for line in sys.stdin:
    case = json.loads(line)
    headers = {"HTTP_" + name.upper().replace("-", "_"): value for name, value in case["headers"].items()}
    content_type = headers.pop("HTTP_CONTENT_TYPE")
    request = RequestFactory().post("/", data=case["body"], content_type=content_type, HTTP_AUTHORIZATION=authorization, **headers)
    events.clear()
    try:
        status = views[case["esp"]](case)(request).status_code
    except SuspiciousOperation:
        status = 400
    answer = {"status": status, "events": list(events)}
    if case["esp"] == "sendgrid":
        check = EventWebhook(case["public_key"])
        answer["verified"] = check.verify_signature(
            case["body"],
            case["headers"].get("X-Twilio-Email-Event-Webhook-Signature", ""),
            case["headers"].get("X-Twilio-Email-Event-Webhook-Timestamp", ""),
        )
    print(json.dumps(answer), flush=True)
