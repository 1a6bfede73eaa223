"""After an erasure no number of the person remains in S3, neither in plans nor in the uploaded files."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

from tests.stack.programme import DELIVERED, Json, Programme
from tests.stack.test_campaigns import ended
from tests.waiting import until

NUMBER = DELIVERED + 90
PHONE = f"+22177000{NUMBER}"
ROUNDS = (timedelta(minutes=3), timedelta(minutes=16), timedelta(minutes=16))
"""`shared.policy.erasure.PAUSES`, and one more pause for a file that was being planned."""


def resting(programme: Programme) -> list[str]:
    """The objects that contain the number, in any version."""
    s3, bucket = programme.stack.aws("s3"), programme.stack.output("PayloadBucketName")
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket)
    versions = [one for page in pages for one in page.get("Versions", ()) if programme.organisation in one["Key"]]
    found: list[str] = []
    for one in versions:
        with suppress(s3.exceptions.ClientError):  # removed since
            body = s3.get_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])["Body"].read()
            found += [str(one["Key"])] if PHONE[4:].encode() in body else []
    return found


def planned(programme: Programme, upload_id: str, **changes: Any) -> Json:
    made = programme.ok(programme.distribute(upload_id=upload_id, content={"text": "Bonjour {first_name}"}, **changes))
    return until(lambda: programme.distribution(made["distribution_id"]), lambda found: found["status"] != "planning")


def test_the_file_is_kept_for_its_plans_and_removed_with_the_person(programme: Programme) -> None:
    """The file has an unreadable row, and there is a replaced version: the owner of these numbers cannot be known."""
    lines = ["phone,first_name", *(f"+22177000{NUMBER + number},Awa" for number in range(3)), f"N/A {PHONE},Awa"]
    upload_id = programme.upload("\n".join(lines).encode(), "csv")
    broken = programme.upload(f'phone,first_name\n"{PHONE}"x,Awa\n"'.encode(), "csv")
    sent = ended(programme, planned(programme, upload_id, confirm=True, campaign_id="first"))
    assert (sent["accepted"], sent["rejected"]) == (3, 1)
    assert planned(programme, broken)["status"] == "rejected"
    waiting = planned(programme, upload_id)
    assert resting(programme)
    assert programme.api.post("/v1/erasures", json={"phone": PHONE}).status_code == 202
    until(lambda: [key for key in resting(programme) if not key.startswith("uploads/")], lambda keys: keys == [])
    again = planned(programme, upload_id, campaign_id="second")  # still there: an officer may be about to plan it
    assert [error["code"] for error in again["errors"]] == ["opted_out", "phone_invalid"]
    for pause in ROUNDS:
        programme.move_to(programme.stack.now() + pause)
    until(lambda: resting(programme), lambda keys: keys == [])
    gone = programme.distribute(upload_id=upload_id, content={"text": "Bonjour {first_name}"})
    assert (gone.status_code, gone.json()["code"]) == (409, "upload_missing")
    assert programme.act(waiting, "confirm").status_code == 200
    assert ended(programme, waiting)["by_reason"] == {"erased": 1}
