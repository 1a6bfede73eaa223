"""Each mend beside the fault that it mends. If plain moto does it right, its test fails, and the mend can go."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from local.moto_mends import PLACEHOLDERS
from local.processes import PROJECT_ROOT
from tests.local.moto_facts import ACCOUNT
from tests.waiting import PATIENCE

type Facts = dict[str, Any]


@pytest.fixture(scope="module")
def observed() -> tuple[Facts, Facts]:
    """The facts of plain and of mended moto, from two processes that run at the same time."""
    command = [sys.executable, "-W", "ignore", "-m", "tests.local.moto_facts"]
    environment = {**os.environ, "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}

    def facts(kind: str) -> Facts:
        done = subprocess.run(
            [*command, kind], stdout=subprocess.PIPE, cwd=PROJECT_ROOT, env=environment, timeout=PATIENCE, check=True
        )
        found: Facts = json.loads(done.stdout)
        return found

    with ThreadPoolExecutor() as pool:
        plain, mended = pool.map(facts, ("plain", "mended"))
    return plain, mended


@pytest.fixture(scope="module")
def plain(observed: tuple[Facts, Facts]) -> Facts:
    return observed[0]


@pytest.fixture(scope="module")
def mended(observed: tuple[Facts, Facts]) -> Facts:
    return observed[1]


def test_instance_tracking(plain: Facts, mended: Facts) -> None:
    assert plain["instances_kept"] >= 40
    assert mended["instances_kept"] == 0


def test_dispatch(plain: Facts, mended: Facts) -> None:
    assert plain["inspections_per_request"] >= 1
    assert mended["inspections_per_request"] == 0


def test_queues_are_not_scanned_for_each_send(plain: Facts, mended: Facts) -> None:
    assert plain["looks_per_send"] >= 100
    assert mended["looks_per_send"] <= 2


def test_queues_know_stale_receipts(plain: Facts, mended: Facts) -> None:
    assert (plain["stale_receipt_deletes"], mended["stale_receipt_deletes"]) == (True, False)
    changes = "stale_receipt_changes_visibility"
    assert (plain[changes], mended[changes]) == (True, False)


def test_queues_redrive_as_before(plain: Facts, mended: Facts) -> None:
    assert plain["redriven_after"] == mended["redriven_after"] == 3


def test_queues_refuse_the_bodies_that_sqs_refuses(plain: Facts, mended: Facts) -> None:
    refused = "InvalidMessageContents True"
    assert plain["bodies_of_a_batch"] == [*["taken"] * 5, "5"]
    assert mended["bodies_of_a_batch"] == ["taken", *[refused] * 4, "1"]
    assert plain["bodies_sent_alone"] == ["taken"] * 3
    too_long = ["InvalidParameterValue", "AWS.SimpleQueueService.BatchRequestTooLong"]
    assert mended["bodies_sent_alone"] == ["InvalidMessageContents", *too_long]


def test_a_send_invokes_no_function(plain: Facts, mended: Facts) -> None:
    remaining = "remains_after_a_send_to_a_mapped_queue"
    assert (plain[remaining], mended[remaining]) == (0, 1)


def test_one_lock_keeps_two_receivers_from_one_message(plain: Facts, mended: Facts) -> None:
    receivers = "receivers_of_one_message"
    assert (plain[receivers], mended[receivers]) == (2, 1)


def test_table_queries_sort_one_partition(plain: Facts, mended: Facts) -> None:
    assert plain["comparisons_per_query"] >= 100
    assert mended["comparisons_per_query"] < 20  # only those of a table query, whose rows are sorted already


def test_table_queries_answer_as_before(plain: Facts, mended: Facts) -> None:
    assert plain["query_results"] == mended["query_results"]
    assert all(plain["query_results"])


def test_attribute_values_are_written_without_a_search(plain: Facts, mended: Facts) -> None:
    assert plain["picks_per_read"] >= 100
    assert mended["picks_per_read"] <= 20


def test_attribute_values_are_read_as_before(plain: Facts, mended: Facts) -> None:
    assert plain["values_of_every_type"] == mended["values_of_every_type"]
    assert len(mended["values_of_every_type"]) == 12


def test_update_expressions_are_parsed_once(plain: Facts, mended: Facts) -> None:
    assert plain["parses_per_update"] >= 1
    assert mended["parses_per_update"] == 0


def test_update_expressions_ask_a_nodes_class_once(plain: Facts, mended: Facts) -> None:
    assert plain["inspections_of_nodes_per_update"] >= 50
    assert mended["inspections_of_nodes_per_update"] == 0


def test_update_expressions_are_checked_once(plain: Facts, mended: Facts) -> None:
    assert plain["checks_per_update"] >= 1
    assert mended["checks_per_update"] == 0


def test_update_expressions_do_as_before(plain: Facts, mended: Facts) -> None:
    assert plain["rows_after_updates"] == mended["rows_after_updates"]
    assert len([row for row in mended["rows_after_updates"] if isinstance(row, str)]) >= 4  # the failed ones


def test_names_are_spelled_once(plain: Facts, mended: Facts) -> None:
    assert plain["spellings_per_send"] >= 2
    assert mended["spellings_per_send"] == 0


def test_transactions_duplicate_what_they_touch(plain: Facts, mended: Facts) -> None:
    assert plain["copies_per_transaction"] >= 100
    assert mended["copies_per_transaction"] <= 20


def test_transactions_roll_back_as_before(plain: Facts, mended: Facts) -> None:
    rows = mended["rows_after_a_cancelled_transaction"]
    assert rows == plain["rows_after_a_cancelled_transaction"]
    assert len(rows) == 5


def test_inserts_add_only_new_items(plain: Facts, mended: Facts) -> None:
    """Plain moto fails at parameters; without them it overwrites an existing item."""
    assert plain["inserted"] is None
    codes, rows = mended["inserted"]
    assert codes == [None, "DuplicateItem", "DuplicateItem", "ResourceNotFound", "ValidationError", "ValidationError"]
    assert rows == [["0", None], ["new", 'it\'s "first"']]


def test_items_expire(plain: Facts, mended: Facts) -> None:
    """Moto keeps expired items in the first count, mended or not."""
    assert plain["expired_items_remaining"] == mended["expired_items_remaining"] == [5, 4]


def test_table_settings(plain: Facts, mended: Facts) -> None:
    kept = ("ttl", "recovery", "encrypted")
    assert [plain["deployed"][name] for name in kept] == ["DISABLED", "DISABLED", False]
    assert [mended["deployed"][name] for name in kept] == ["ENABLED", "ENABLED", True]


def test_bucket_settings(plain: Facts, mended: Facts) -> None:
    assert plain["deployed"]["versioning"] is None
    assert mended["deployed"]["versioning"] == "Enabled"
    assert plain["deployed"]["cors"] == "NoSuchCORSConfiguration"
    [rule] = mended["deployed"]["cors"]
    assert (rule["AllowedOrigins"], rule["AllowedMethods"]) == (["http://a"], ["PUT"])
    assert (rule["AllowedHeaders"], rule["ExposeHeaders"], rule["MaxAgeSeconds"]) == (["Content-Type"], ["ETag"], 60)


def test_preflights_follow_the_matching_rule(plain: Facts, mended: Facts) -> None:
    assert mended["preflights"] == {
        "a page that may": 200,
        "another method": 403,
        "another header": 403,
        "another page": 403,
    }
    assert plain["preflights"]["a page that may"] == 403  # the last rule's origin has overwritten its own


def test_secrets_and_schedules_of_a_template_are_created(plain: Facts, mended: Facts) -> None:
    made = ("secret_is_output", "secret_lengths", "schedules", "groups")
    assert [plain["deployed"][name] for name in made] == [False, [], [], ["default"]]
    assert [mended["deployed"][name] for name in made] == [True, [64], ["tick"], ["default", "group"]]


def test_roles_keep_their_policies(plain: Facts, mended: Facts) -> None:
    assert plain["policies_of_a_stacks_role"] == [["dict"], []]
    [[own], managed] = mended["policies_of_a_stacks_role"]
    assert [statement["Sid"] for statement in own["Statement"]] == ["Keep"]  # no null in place of NoValue
    assert managed == [f"arn:aws:iam::{ACCOUNT}:policy/shared"]


def test_policies_are_checked_with_the_right_resource_and_action(plain: Facts, mended: Facts) -> None:
    """Plain moto knows the resource only for queues and objects, and checks a batch under another name."""
    assert plain["allowed_calls"] == ["its objects"]
    assert mended["allowed_calls"] == [
        "its table",
        "its index",
        "its table in a batch",
        "a put in a transaction",
        "an insert",
        "its secret",
        "its schedules",
        "its queue, a batch",
        "its objects",
    ]


def test_every_missing_type_is_still_missing(plain: Facts, mended: Facts) -> None:
    made = {"AWS::SecretsManager::Secret", "AWS::Scheduler::Schedule", "AWS::Scheduler::ScheduleGroup"}
    assert set(plain["missing_types"]) == {*PLACEHOLDERS, *made}
    assert mended["missing_types"] == []


def test_the_default_of_a_list_is_not_split(plain: Facts, mended: Facts) -> None:
    """Our code for parameters avoids this case: local.template.parameters."""
    assert plain["default_list_is_split"] is mended["default_list_is_split"] is False


def test_schedules_that_never_fire_are_refused(plain: Facts, mended: Facts) -> None:
    assert len(plain["nonsense_scheduled"]) == 3
    assert mended["nonsense_scheduled"] == []


def test_a_deleted_secret_keeps_its_name_for_a_while(plain: Facts, mended: Facts) -> None:
    """AWS refuses to make, change or read a secret with that name for some seconds after the deletion."""
    assert plain["secret_made_again_after"] == []
    assert mended["secret_made_again_after"] == [0, 59]


def test_a_removed_upload_is_missing(plain: Facts, mended: Facts) -> None:
    assert plain["said_of_a_removed_upload"] == ["KeyError", "KeyError"]
    assert mended["said_of_a_removed_upload"] == ["NoSuchUpload", "NoSuchUpload"]
