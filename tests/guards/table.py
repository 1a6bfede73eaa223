"""The guards: lines of code that prevent a lost, doubled or night-time message, or a leak to another organisation.

`make guards` removes each from a copy of the code, one at a time, and runs the tests named beside it. If these tests
still pass, no test covers the guard.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """`before` occurs exactly once in `file`; `after` is the code without the guard. `tests`: pytest node IDs or files,
    of which at least one test has to fail without the guard. Name the one test that fails, and of several the fastest:
    a whole file runs up to the first failure, and once more with all guards in place."""

    name: str
    file: str
    before: str
    after: str
    tests: tuple[str, ...]


_SEND = "tests/unit/sending/test_send.py"
_BULK = "tests/unit/campaigns/test_bulk.py"
_HOLDING = "tests/unit/holds/test_holding.py"
_RETRY = "tests/unit/campaigns/test_retry.py"
_AT_LOGGING = "tests/unit/duplicates/test_already_at_logging.py"
_QUEUES = "tests/contract/test_queues.py"
_CLAIMS = "tests/contract/test_log_claims.py"
_OWN_WRITES = "tests/contract/test_own_writes.py"
_SECRETS = "tests/contract/test_secrets.py"
_WEBHOOK = "tests/unit/providers/test_whatsapp_webhook.py"
_CONSENTS = "tests/unit/policy/test_consents.py"
_CARDS = "tests/unit/providers/test_cards.py"
_WHOSE_WEBHOOK = "tests/unit/webhooks/test_whose_update.py"
_WHOSE_STATUS = "tests/unit/webhooks/test_whose_status.py"
_MOVES = "tests/contract/test_log_moves.py"
_SILENT = "tests/unit/sending/test_silent_meta.py"
_SUMS = "tests/contract/test_sums.py"
_COUNTS = "tests/contract/test_counts.py"
_PHONE = "tests/unit/recipients/test_phone.py"
_FILES = "tests/unit/recipients/files"
_EXPORTING = "tests/unit/exports/test_exporting.py"

GUARDS = (
    # ---------------------------------------------------------------------------------------------------------- exports
    Guard(
        name="export: no cell of a file is run as a formula",
        file="shared/exports/sheet.py",
        before="writer.writerows([disarmed(cell) for cell in row] for row in rows)",
        after="writer.writerows(rows)",
        tests=("tests/unit/exports/test_sheet.py::test_any_text_can_be_read_again_and_none_is_a_formula",),
    ),
    Guard(
        name="export: a worker whose export was moved on writes no row twice",
        file="shared/exports/exporting.py",
        before="    if saved is None:\n        raise _LostError\n    return saved",
        after="    return saved or export",
        tests=(f"{_EXPORTING}::test_a_frozen_worker_does_not_fail_what_another_one_has_finished",),
    ),
    Guard(
        name="export: a part that another worker has overwritten makes no file",
        file="shared/storage/export_files.py",
        before="                if code in _OTHER_PARTS:\n                    return False\n",
        after="",
        tests=("tests/contract/test_exports.py::TestFiles::test_a_part_that_was_overwritten_is_noticed",),
    ),
    Guard(
        name="export: a frozen worker does not remove the file that another one has finished",
        file="shared/exports/exporting.py",
        before="failing = await _saved(self._on.store, replace(export.taken(self._on.clock.now()), fails_for=reason))",
        after="failing = export",
        tests=(f"{_EXPORTING}::test_a_frozen_worker_does_not_fail_what_another_one_has_finished",),
    ),
    # ----------------------------------------------------------------------------------------------------------- queues
    Guard(
        name="queue: a body is ASCII, because SQS refuses some characters",
        file="shared/storage/codec.py",
        before="return _BEYOND_ASCII.sub(lambda found: json.dumps(found[0])[1:-1], encode(value).decode())",
        after="return encode(value).decode()",
        tests=(f"{_QUEUES}::test_a_body_may_contain_every_character",),
    ),
    Guard(
        name="queue: a message that is too long is reported, and does not delay the others",
        file="shared/storage/queues.py",
        before='if len(one["MessageBody"]) <= LONGEST]',
        after="]",
        tests=(f"{_QUEUES}::test_messages_that_are_too_long_are_reported_and_the_others_queued",),
    ),
    Guard(
        name="queue: a sender's fault of SQS ends a message only if the message causes it",
        file="shared/storage/queues.py",
        before='if one["SenderFault"] and one["Code"].endswith(_UNFIT)}',
        after='if one["SenderFault"]}',
        tests=(f"{_QUEUES}::test_another_sender_fault_ends_no_message",),
    ),
    Guard(
        name="queue: a message that SQS can never carry ends with a reason",
        file="shared/sending/enqueue_now.py",
        before="await self._status_writer.end_unsent(one.organisation, one.message_id, UNFIT, now)",
        after="pass",
        tests=("tests/unit/sending/test_unfit.py::test_an_unfit_message_does_not_block_its_chunk",),
    ),
    Guard(
        name="erasure: an uploaded file is removed once its plan is stored",
        file="shared/policy/erasure.py",
        before="await self._deps.uploads.erase(distribution.organisation, distribution.upload_id)",
        after="pass",
        tests=("tests/unit/policy/test_erasure.py::TestKilledWhilePlanning::test_rows_of_a_file",),
    ),
    Guard(
        name="values: characters that no message can carry are removed, and reported",
        file="shared/recipients/recipient.py",
        before="values = carriable_values(merged)",
        after="values = dict(merged)",
        tests=("tests/unit/recipients/test_recipient.py::test_such_characters_are_removed_from_every_value",),
    ),
    # ----------------------------------------------------------------------------------------------------------- counts
    Guard(
        name="counts: moves that a recount may have counted are not added to it",
        file="shared/storage/dynamodb/distributions.py",
        before="attribute_not_exists(counted_at) OR counted_at < :began",
        after="attribute_not_exists(counted_at) OR counted_at < :began OR counted_at >= :began",
        tests=(f"{_COUNTS}::test_a_count_that_began_before_the_recount_had_read_the_log_adds_nothing",),
    ),
    Guard(
        name="sums: what is summed already is not added again",
        file="shared/statistics/sums.py",
        before="new = difference(share, leaf.summed or Share())",
        after="new = difference(share, Share())",
        tests=(f"{_SUMS}::test_the_difference_corrects_the_sums",),
    ),
    Guard(
        name="sums: a leaf that has changed since it was read is not summed",
        file="shared/storage/dynamodb/sums.py",
        before='"ConditionExpression": "changes = :changes AND "',
        after='"ConditionExpression": "changes >= :changes AND "',
        tests=(f"{_SUMS}::test_a_leaf_that_changed_meanwhile_is_refused_and_nothing_is_written",),
    ),
    Guard(
        name="sums: a sum that another worker has written is not overwritten",
        file="shared/storage/dynamodb/sums.py",
        before='put["ConditionExpression"] = "revision = :seen"',
        after='put["ConditionExpression"] = "revision >= :seen"',
        tests=(f"{_SUMS}::test_a_sum_that_changed_meanwhile_is_refused",),
    ),
    Guard(
        name="sums: a distribution that is confirmed or over waits to be summed",
        file="shared/storage/dynamodb/distributions.py",
        before="if saved.rest != distribution.rest:",
        after="if saved.rest == distribution.rest and saved.rest != distribution.rest:",
        tests=(f"{_SUMS}::test_a_distribution_s_rest_is_summed_with_its_plan_its_confirmation_and_its_end",),
    ),
    Guard(
        name="counts: a row counts as reached once",
        file="shared/storage/dynamodb/log.py",
        before='conditions=("attribute_not_exists(reached)",)',
        after='conditions=("attribute_exists(pk)",)',
        tests=("tests/contract/test_log_once_more.py::test_a_row_is_reached_once",),
    ),
    Guard(
        name="counts: a recount asked for during a recount still follows",
        file="shared/storage/dynamodb/distributions.py",
        before='"wishes = :seen" if wishes else',
        after='"wishes >= :seen" if wishes else',
        tests=(f"{_COUNTS}::test_a_requested_recount_stays_due_until_it_is_done_and_a_later_request_too",),
    ),
    Guard(
        name="counts: a cancel lists the rows that were never released",
        file="shared/campaigns/cancel.py",
        before="elif waiting := _never_logged(distribution):",
        after="elif waiting := _never_logged(distribution)[:0]:",
        tests=(f"{_BULK}::test_a_cancel_lists_the_rows_that_were_never_released",),
    ),
    Guard(
        name="counts: a repeated task has its chunk recounted",
        file="shared/messages/status_writer.py",
        before="if before is not None and not moved.won and not move.is_duplicate and before.status is move.status:",
        after="if before is not None and moved.won and not move.is_duplicate and before.status is move.status:",
        tests=(
            "tests/unit/campaigns/test_tallies.py::test_counts_of_a_dead_consumer_are_corrected_when_its_work_is_repeated",
        ),
    ),
    Guard(
        name="counts: a duplicate of the sender's own status asks for no recount",
        file="shared/messages/status_writer.py",
        before="not moved.won and not move.is_duplicate and before.status is move.status",
        after="not moved.won and before.status is move.status",
        tests=("tests/unit/campaigns/test_tallies.py::test_a_duplicate_of_the_senders_own_status_asks_for_no_recount",),
    ),
    # ------------------------------------------------------------------------------------------------------------ holds
    Guard(
        name="hold: a stop error of one country holds that country alone",
        file="shared/holds/keeper.py",
        before="""return country_scope(payload.country, identity)
        case Scope.TEMPLATE""",
        after="""return ACCOUNT
        case Scope.TEMPLATE""",
        tests=(f"{_HOLDING}::test_a_held_country_holds_no_other_and_goes_on_when_there_are_units",),
    ),
    Guard(
        name="hold: a stop error of a template holds one language of it",
        file="shared/holds/keeper.py",
        before="return template_scope(template.name, template.language, identity)",
        after="return ACCOUNT",
        tests=("tests/unit/sending/test_refusals.py::test_a_stop_error_holds_its_scope",),
    ),
    Guard(
        name="hold: an error from before the hold's last change changes nothing",
        file="shared/holds/keeper.py",
        before="return holds if is_old else holds.set(scope, reason, now, reported_later=reported_later)",
        after="return holds.set(scope, reason, now, reported_later=reported_later)",
        tests=(f"{_HOLDING}::test_an_answer_from_before_the_end_sets_no_new_hold",),
    ),
    Guard(
        name="hold: only the message that probes a held scope may leave",
        file="shared/policy/gate_check.py",
        before="if queue_message.probe == str(scope) and hold.is_tried_by(queue_message.message_id, now):",
        after="if queue_message.probe is None or hold.is_tried_by(queue_message.message_id, now):",
        tests=(f"{_HOLDING}::test_many_rows_of_a_held_country_cost_no_call_each",),
    ),
    Guard(
        name="hold: no fallback starts while its message is held",
        file="shared/messages/agenda.py",
        before="""            if not await self._is_parked(message, states):
                await self._fall_back""",
        after="""            if True:
                await self._fall_back""",
        tests=(f"{_HOLDING}::test_a_fallback_by_time_waits_for_the_end_of_a_hold",),
    ),
    Guard(
        name="hold: the end of a hold never ends a person's pause",
        file="shared/campaigns/distribution.py",
        before="return self.status is DistributionStatus.PAUSED and self.status_reason != PAUSED_BY_USER",
        after="return self.status is DistributionStatus.PAUSED",
        tests=(f"{_HOLDING}::test_the_end_of_a_hold_never_ends_a_person_s_pause",),
    ),
    # ---------------------------------------------------------------------------------------- what Meta reports later
    Guard(
        name="status without our key: the message is found by Meta's message ID",
        file="shared/webhooks/meta_documents.py",
        before="return status.attempt or attempts.get(status.provider_message_id)",
        after="return status.attempt",
        tests=("tests/unit/webhooks/test_receive.py::test_a_status_without_our_key_is_found_by_its_message_id",),
    ),
    Guard(
        name="status without our key: an ID of two messages moves neither",
        file="shared/messages/status_writer.py",
        before="number=found[0].attempts) if len(found) == 1 else None",
        after="number=found[0].attempts) if found else None",
        tests=("tests/unit/webhooks/test_receive.py::test_an_id_of_two_messages_moves_neither",),
    ),
    Guard(
        name="refused picture: the card is uploaded again once for each message",
        file="shared/storage/dynamodb/log.py",
        before="""*(("attribute_not_exists(card_after)",) if anew else ())""",
        after="*(())",
        tests=("tests/contract/test_log_once_more.py::test_a_message_is_sent_with_a_new_upload_once",),
    ),
    Guard(
        name="refused picture: an upload from before the refusal is not used again",
        file="shared/sending/send.py",
        before="elif claim.message.card_after is not None and queue_message.payload.card_after is None:",
        after="elif claim.message.card_after is None and queue_message.payload.card_after is not None:",
        tests=(
            "tests/unit/cards/test_new_upload.py::test_a_queue_message_from_before_the_refusal_does_not_show_the_refused_upload_again",
        ),
    ),
    # ------------------------------------------------------------------------------------------------------ sent once
    Guard(
        name="claim: a message that another worker holds is not claimed again",
        file="shared/storage/dynamodb/log.py",
        before='conditions=(_OPEN, _UNCLAIMED, "attribute_not_exists(due_at)"),',
        after='conditions=(_OPEN, "attribute_not_exists(due_at)"),',
        tests=(f"{_CLAIMS}::test_a_second_queue_message_never_wins",),
    ),
    Guard(
        name="claim: a message that has ended is not claimed again",
        file="shared/storage/dynamodb/log.py",
        before='conditions=(_OPEN, _UNCLAIMED, "attribute_not_exists(due_at)"),',
        after='conditions=(_UNCLAIMED, "attribute_not_exists(due_at)"),',
        tests=(f"{_CLAIMS}::test_a_claim_takes_a_lease_and_counts_the_attempt",),
    ),
    Guard(
        name="claim: only the worker that has won it calls the provider",
        file="shared/sending/send.py",
        before="if claim.message is None or claim.answer in (ClaimAnswer.HELD, ClaimAnswer.DONE):",
        after="if claim.message is None:",
        tests=(f"{_SEND}::test_queue_messages_delivered_twice_at_once_make_one_call",),
    ),
    Guard(
        name="lease: an expired lease makes the outcome unknown, and no worker sends",
        file="shared/sending/send.py",
        before="elif claim.answer is ClaimAnswer.LAPSED:",
        after="elif claim.answer is None:",
        tests=(f"{_SEND}::test_a_worker_killed_anywhere_never_makes_a_second_call",),
    ),
    Guard(
        name="lease: a dead worker's lease is noticed although the gate says no",
        file="shared/sending/send.py",
        before="await self._unknowns.take_if_lapsed(await self._deps.log.get(*key), now)",
        after="pass",
        tests=("tests/unit/sending/test_lapsed.py::test_an_expired_claim_ends_after_the_night_has_begun",),
    ),
    Guard(
        name="claim: a repeated write recognises its first attempt by its token",
        file="shared/storage/dynamodb/log.py",
        before="if outcome.done or (message.claim_token == token and",
        after="if outcome.done or (token is None and",
        tests=(f"{_CLAIMS}::test_a_repeated_claim_recognises_its_first_attempt",),
    ),
    Guard(
        name="claim: an unanswered claim is given back by its token",
        file="shared/sending/send.py",
        before="await self._deps.log.give_back(*key, token=token, due_at=due_at, uses_attempt=False)",
        after="pass",
        tests=(f"{_SEND}::test_a_claim_without_an_answer_goes_back_and_the_queue_message_comes_again",),
    ),
    Guard(
        name="claim: it gives up after 3 s, because the call is due",
        file="shared/storage/dynamodb/log.py",
        before='place, client = {"pk": key(organisation, message_id)}, self._aws.claiming',
        after='place, client = {"pk": key(organisation, message_id)}, self._aws.dynamodb',
        tests=(f"{_OWN_WRITES}::test_a_claim_of_a_row_with_a_next_check",),
    ),
    Guard(
        name="lease: only the claim that holds it removes it",
        file="shared/storage/dynamodb/log.py",
        before="""removes=(*_LEASE, *(() if due_at else _NEXT_CHECK), *forgotten),
            conditions=(_OPEN, _IS_HELD_BY, _CLAIMED),""",
        after="""removes=(*_LEASE, *(() if due_at else _NEXT_CHECK), *forgotten),
            conditions=(_OPEN, ":token = :token", _CLAIMED),""",
        tests=(f"{_CLAIMS}::test_only_the_claim_that_holds_the_lease_changes_the_row",),
    ),
    Guard(
        name="unknown: only the claim that was seen to expire becomes unknown",
        file="shared/storage/dynamodb/log.py",
        before="""    if move.claim is not None:
        conditions.append(_IS_HELD_BY)
        values""",
        after="""    if move.claim is None:
        conditions.append(_IS_HELD_BY)
        values""",
        tests=(f"{_CLAIMS}::test_an_ended_message_cannot_be_claimed",),
    ),
    Guard(
        name="card: a first failure may be the host's, and fails no row",
        file="shared/cards/failures.py",
        before="is_back = await self._is_back(pair, queue_message) if since is not None else None",
        after="is_back, since = await self._is_back(pair, queue_message), since or now",
        tests=("tests/unit/cards/test_failed_cards.py::test_a_card_with_a_temporary_error_has_a_quarter_of_an_hour",),
    ),
    Guard(
        name="card: a row fails only if its host served another card and then failed for this one again",
        file="shared/cards/failures.py",
        before="return await can_be_fetched(self._cards, own, pair.organisation)",
        after="return False",
        tests=("tests/unit/cards/test_failed_cards.py::test_one_bad_card_among_good_ones_fails_after_its_second_try",),
    ),
    Guard(
        name="card: ten failures in a row hold the host's rows",
        file="shared/sending/send.py",
        before="if decision.action is CardAction.HOLD and scope is not None:",
        after="if False and scope is not None:",
        tests=(
            "tests/unit/cards/test_failed_cards.py::test_a_host_that_serves_no_card_fails_no_row_and_starts_no_fallback",
        ),
    ),
    Guard(
        name="unknown: a lost answer to a send never counts as not sent",
        file="shared/providers/answers.py",
        before='"outcome_unknown") if call is Call.ONCE else SendError(Kind.RETRY, code)',
        after='"outcome_unknown") if call is None else SendError(Kind.RETRY, code)',
        tests=("tests/unit/providers/test_http.py::test_every_exception_of_a_send_is_a_decision",),
    ),
    Guard(
        name="unknown: a WhatsApp message with an unknown outcome is resent once at most",
        file="shared/storage/dynamodb/log.py",
        before='"attribute_not_exists(resent)",',
        after="",
        tests=("tests/contract/test_log_once_more.py::test_a_message_with_an_unknown_outcome_is_resent_once",),
    ),
    Guard(
        name="attempt: a failure of an older attempt changes nothing",
        file="shared/storage/dynamodb/log.py",
        before='conditions += [_CARD_IS, _AS_WRITTEN] if move.card_half else ["attempts = :attempt"]',
        after='conditions += [_CARD_IS, _AS_WRITTEN] if move.card_half else [":attempt = :attempt"]',
        tests=(f"{_MOVES}::test_a_failure_of_another_attempt_changes_nothing",),
    ),
    Guard(
        name="next check: the agenda enqueues first and moves the next check afterwards",
        file="shared/messages/agenda.py",
        before="""    another = await another_card(""",
        after="""    await set_next_check(on.log, message, None)
    another = await another_card(""",
        tests=("tests/unit/sending/test_unknown_outcomes.py::test_a_killed_agenda_loses_nothing_and_doubles_nothing",),
    ),
    Guard(
        name="next check: a single message has one from the moment it is logged",
        file="shared/messages/factory.py",
        before="due_at = scheduled_for or message.accepted_at + CHECK_AFTER",
        after="due_at = scheduled_for",
        tests=(f"{_SEND}::test_a_single_message_waits_for_the_end_of_its_hold",),
    ),
    Guard(
        name="idempotency: another body with the same key is refused",
        file="shared/messages/single.py",
        before="if existing.request_hash != new.request_hash:",
        after="if existing.request_hash is None:",
        tests=(
            "tests/stack/test_single_messages.py::test_another_body_with_the_same_key_is_refused_but_a_refusal_uses_no_key",
        ),
    ),
    Guard(
        name="content: a single message's object is named by its bytes",
        file="shared/storage/plans.py",
        before="key = single_key(organisation, person, message_id, self._hashed(body))",
        after='key = single_key(organisation, person, message_id, "payload")',
        tests=("tests/contract/test_plans.py::test_two_bodies_for_one_message_or_distribution_are_both_kept",),
    ),
    Guard(
        name="content: a distribution's order is named by its bytes",
        file="shared/storage/plans.py",
        before="name = self._hashed(body)",
        after='name = "order"',
        tests=("tests/contract/test_plans.py::test_two_bodies_for_one_message_or_distribution_are_both_kept",),
    ),
    Guard(
        name="content: an object is never overwritten",
        file="shared/storage/plans.py",
        before='Body=body, IfNoneMatch="*")',
        after="Body=body)",
        tests=("tests/contract/test_plans.py::test_a_stored_chunk_is_never_overwritten",),
    ),
    Guard(
        name="erasure: objects of a planning run that died are found",
        file="shared/policy/erasure.py",
        before="places = [*_unlogged(distribution), *await self._leftovers(distribution)]",
        after="places = [*_unlogged(distribution)]",
        tests=("tests/unit/policy/test_erasure.py::TestWhereverTheMessageIs::test_in_a_planning_run_that_died",),
    ),
    Guard(
        name="duplicates: siblings on one phone are told apart by their best identifier",
        file="shared/duplicates/dedupe_key.py",
        before="""                if decides or decides_there:
                    yield row, level""",
        after="""                if decides or row:
                    yield row, level""",
        tests=("tests/unit/duplicates/test_duplicates.py::test_two_rows_of_one_phone",),
    ),
    Guard(
        name="already sent: a row is compared again as it is logged",
        file="shared/campaigns/release.py",
        before="elif row.row in sent:",
        after="elif row.row is None:",
        tests=(f"{_AT_LOGGING}::test_a_card_sent_between_plan_and_confirmation_is_not_sent_again",),
    ),
    Guard(
        name="already sent: if two log at once, the earlier turn does not wait for the later one",
        file="shared/duplicates/already_sent.py",
        before="if distribution.distribution_id in self._give_way:",
        after="if distribution.distribution_id is None:",
        tests=(f"{_AT_LOGGING}::test_siblings_are_compared_by_their_best_identifier",),
    ),
    Guard(
        name="already sent: a cancelled distribution's pending rows end before their people count as not sent",
        file="shared/duplicates/already_sent.py",
        before="return not (is_cancelled and message.is_open and await self._has_ended(message))",
        after="return True",
        tests=(f"{_AT_LOGGING}::test_unsent_rows_of_a_cancelled_distribution_do_not_count_before_the_sweep",),
    ),
    Guard(
        name="fallback: never after the WhatsApp message has arrived",
        file="shared/policy/gate_check.py",
        before="if any(parent.status in ARRIVED for parent in parents):",
        after="if any(parent.status is None for parent in parents):",
        tests=("tests/unit/messages/test_fallbacks.py::test_a_parent_that_arrives_before_the_sms_is_sent_ends_it",),
    ),
    Guard(
        name="retry: a failed message has one successor",
        file="shared/storage/dynamodb/log.py",
        before='conditions=("#status = :failed", _NO_SUCCESSOR, *no_fallback),',
        after='conditions=("#status = :failed", *no_fallback),',
        tests=("tests/contract/test_log_once_more.py::test_the_first_successor_of_a_failed_message_keeps_its_place",),
    ),
    Guard(
        name="retry: a message whose fallback is due or has begun has no successor",
        file="shared/storage/dynamodb/log.py",
        before='conditions=("#status = :failed", _NO_SUCCESSOR, *no_fallback),',
        after='conditions=("#status = :failed", _NO_SUCCESSOR),',
        tests=("tests/contract/test_log_once_more.py::test_a_message_has_a_fallback_or_a_successor_but_not_both",),
    ),
    Guard(
        name="retry: no fallback begins for a message that has a successor",
        file="shared/storage/dynamodb/log.py",
        before='"attribute_exists(due_at)", _NO_SUCCESSOR)',
        after='"attribute_exists(due_at)")',
        tests=("tests/contract/test_log_once_more.py::test_no_fallback_begins_once_a_message_has_a_successor",),
    ),
    Guard(
        name="retry: unknown outcomes and opt-outs come along only by name",
        file="shared/campaigns/retry.py",
        before="message.reason not in EXCLUDED if retry.reasons is None",
        after="message.reason is not None if retry.reasons is None",
        tests=(f"{_RETRY}::test_without_reasons_unknown_outcomes_and_final_ones_stay_out",),
    ),
    Guard(
        name="retry: a row with a successor or a fallback stays out",
        file="shared/campaigns/retry.py",
        before="if not message.may_be_sent_again or message.reason == ERASED:",
        after="if message.status is not Status.FAILED or message.reason == ERASED:",
        tests=(f"{_RETRY}::test_a_second_retry_finds_nothing_more",),
    ),
    Guard(
        name="retry: a row is released only with the place of its failed message",
        file="shared/campaigns/release.py",
        before="sent |= await without_place(self._deps.log, distribution.organisation, rows)",
        after="await without_place(self._deps.log, distribution.organisation, rows)",
        tests=(f"{_RETRY}::test_a_planned_retry_yields_to_a_resend",),
    ),
    Guard(
        name="retry: never after the failed message has arrived, nor in another one's place",
        file="shared/policy/gate_check.py",
        before="if parent.status in ARRIVED or not is_replaced:",
        after="if parent.status is None:",
        tests=(f"{_RETRY}::test_a_row_that_arrived_after_all_is_not_sent_again",),
    ),
    Guard(
        name="resend: the agenda sends it only in the place of its failed message",
        file="shared/messages/agenda.py",
        before="if await self._deps.log.note_successor(key[0], parent, successor=key[1]):",
        after="if parent:",
        tests=(f"{_RETRY}::test_a_killed_resend_takes_its_place_at_the_next_tick",),
    ),
    Guard(
        name="fallback: by time only once Meta is known to be reporting",
        file="shared/messages/agenda.py",
        before="if await self._waits.puts_off(parent, now):",
        after="if parent is None:",
        tests=(f"{_SILENT}::test_without_receipts_no_person_gets_both_and_all_get_an_sms_after_24_hours",),
    ),
    Guard(
        name="fallback: a status of a message claimed at the same instant proves nothing",
        file="shared/sending/unknown_outcome.py",
        before="self.last_claimed_at > claimed_at",
        after="self.last_claimed_at >= claimed_at",
        tests=(f"{_SILENT}::test_a_message_claimed_at_the_same_instant_proves_nothing_for_another",),
    ),
    Guard(
        name="fallback: after a silence a `sent` waits for its `delivered`",
        file="shared/messages/fallback.py",
        before="return Timing.BACKLOG if _has_waited(row, starts_at) else Timing.START",
        after="return Timing.START",
        tests=(f"{_SILENT}::test_an_agenda_killed_while_it_postpones_checks_again",),
    ),
    Guard(
        name="fallback: a message that Meta holds for assessment waits 24 hours",
        file="shared/messages/fallback.py",
        before="""    if row.quality_hold:
        return Timing.WAIT
""",
        after="",
        tests=(f"{_SILENT}::test_a_message_that_meta_holds_for_assessment_waits_24_hours",),
    ),
    Guard(
        name="fallback: a time in the future in Meta's status proves nothing",
        file="shared/sending/last_heard.py",
        before="latest.at = _later(latest.at, min(report.at, self._clock.now()))",
        after="latest.at = _later(latest.at, report.at)",
        tests=(f"{_SILENT}::test_a_time_in_the_future_proves_nothing",),
    ),
    Guard(
        name="fallback: a message with a fallback is not resent",
        file="shared/storage/dynamodb/log.py",
        before='"attribute_not_exists(fell_back)",',
        after="",
        tests=("tests/contract/test_log_once_more.py::test_a_message_whose_fallback_has_begun_is_not_retried",),
    ),
    # ---------------------------------------------------------------------------------------------------------- status
    Guard(
        name="status: no status goes backwards",
        file="shared/messages/message.py",
        before="Status.SENT: frozenset({Status.PENDING}),",
        after="Status.SENT: frozenset({Status.PENDING, Status.DELIVERED}),",
        tests=("tests/unit/messages/test_status.py::test_the_table_of_moves",),
    ),
    Guard(
        name="status: a cancel or an opt-out ends no message that a worker holds",
        file="shared/storage/dynamodb/log.py",
        before="conditions = [open_status, _UNCLAIMED]",
        after="conditions = [open_status]",
        tests=(f"{_MOVES}::test_a_move_for_unclaimed_messages_does_not_end_a_claimed_one",),
    ),
    Guard(
        name="receipts: a receipt that comes before its message ID is known is kept and found",
        file="shared/sending/channel.py",
        before="return [move for move in moves if move is not None]",
        after="return [move for move in moves if move is not None and parked is None]",
        tests=("tests/unit/sending/test_sms_outcomes.py::test_a_receipt_before_the_answer_waits_for_its_message_id",),
    ),
    # ------------------------------------------------------------------------------------------------------------ bulk
    Guard(
        name="distributions: a page that ends early is not the last, so that erasures and duplicates see all of them",
        file="shared/storage/dynamodb/distributions.py",
        before="return Page(items=items, position=below)",
        after="return Page(items=items, position=None)",
        tests=("tests/contract/test_distributions.py::test_a_page_with_rare_matches_ends_early_and_goes_on",),
    ),
    Guard(
        name="epoch: queue messages from before a pause have no effect",
        file="shared/policy/gate_check.py",
        before="if not distribution.may_leave "
        "or queue_message.epoch != distribution.epoch_of(queue_message.chunk.run):",
        after="if not distribution.may_leave:",
        tests=(f"{_BULK}::test_a_queue_message_from_before_the_pause_makes_no_call_after_the_resume",),
    ),
    Guard(
        name="pause: the sender checks whether the distribution still sends",
        file="shared/policy/gate_check.py",
        before="if not distribution.may_leave "
        "or queue_message.epoch != distribution.epoch_of(queue_message.chunk.run):",
        after="if queue_message.epoch not in (distribution.epoch - 1, distribution.epoch_of(queue_message.chunk.run)):",
        tests=(f"{_BULK}::test_queue_messages_have_no_effect_after_a_pause_and_a_resume_sends_the_rest",),
    ),
    Guard(
        name="cancel: queue messages end without a call",
        file="shared/policy/gate_check.py",
        before="""            return Answer(decision=GateDecision.NEVER, reason="cancelled")
        if not distribution.may_leave or""",
        after="""            return None
        if not distribution.may_leave or""",
        tests=(f"{_BULK}::test_counts_that_are_too_high_hide_no_row_from_a_cancel",),
    ),
    Guard(
        name="revision: a distribution is replaced only if it is unchanged since it was read",
        file="shared/storage/dynamodb/distributions.py",
        before='ConditionExpression="revision = :seen",',
        after='ConditionExpression="revision = :seen OR revision <> :seen",',
        tests=(
            "tests/contract/test_distributions.py::test_two_writers_with_the_same_revision_do_not_overwrite_each_other",
        ),
    ),
    Guard(
        name="release: a chunk is in the log before any of its messages is on the queue",
        file="shared/campaigns/release.py",
        before="        await self._deps.log.add_all(messages)\n",
        after="",
        tests=(f"{_BULK}::test_a_campaign_sends_each_message_once_at_the_rate",),
    ),
    Guard(
        name="log: a chunk does not count as logged if one of its rows was refused",
        file="shared/storage/dynamodb/items.py",
        before="if code != _THERE]",
        after="if code not in {_THERE, *_PASSING}]",
        tests=("tests/contract/test_second_tries.py::test_a_temporary_failure_of_an_insert_is_tried_again",),
    ),
    Guard(
        name="cancel: chunks that may be half logged are read too",
        file="shared/campaigns/recount.py",
        before="return [min(run.logged + CHUNKS_AT_ONCE, run.chunks) for run in distribution.planned.runs]",
        after="return [min(run.logged, run.chunks) for run in distribution.planned.runs]",
        tests=(f"{_BULK}::test_rows_logged_by_a_dead_worker_end_although_their_chunks_have_expired",),
    ),
    Guard(
        name="release: no slot is booked beyond the window",
        file="shared/campaigns/release.py",
        before="return sum(closes is None or last < closes for last in lasts)",
        after="return sum(closes is None or first < closes for last in lasts)",
        tests=(f"{_BULK}::test_only_chunks_that_leave_before_nine_are_released",),
    ),
    # ------------------------------------------------------------------------------------------------------ send slots
    Guard(
        name="slot: no slot is booked twice",
        file="shared/storage/dynamodb/rate_limits.py",
        before='same = f"{name} = :seen" if seen else',
        after='same = f"({name} = :seen OR {name} <> :seen)" if seen else',
        tests=(
            "tests/contract/test_rate_limits.py::test_environments_with_different_memories_never_book_the_same_slot",
        ),
    ),
    Guard(
        name="slot: a missed slot is void",
        file="shared/pacing/rate_limit.py",
        before="return now - send_slot > STALE_AFTER or send_slot < not_before",
        after="return send_slot < not_before",
        tests=("tests/unit/pacing/test_timetable.py::test_a_send_slot_that_was_missed_or_withdrawn_is_void",),
    ),
    Guard(
        name="throttle: slots booked before it are withdrawn",
        file="shared/pacing/rate_limit.py",
        before="return now - send_slot > STALE_AFTER or send_slot < not_before",
        after="return now - send_slot > STALE_AFTER",
        tests=("tests/unit/pacing/test_timetable.py::test_a_send_slot_that_was_missed_or_withdrawn_is_void",),
    ),
    Guard(
        name="throttle: Orange's 403 with code 53 counts as one",
        file="shared/providers/orange/errors.py",
        before="return self.status == 429 or self.gateway == 53",
        after="return self.status == 429",
        tests=("tests/unit/providers/test_orange_errors.py",),
    ),
    # ------------------------------------------------------------------------------------------------------------ gate
    Guard(
        name="gate: quiet hours",
        file="shared/policy/gate.py",
        before="return ClosedHours(windows=(COVERED[country].quiet_hours, *peak))",
        after="return ClosedHours(windows=peak)",
        tests=("tests/unit/policy/test_gate.py",),
    ),
    Guard(
        name="gate: it is checked again just before the call",
        file="shared/sending/send.py",
        before="""        gate_answer = await self._gate_check(queue_message, integration, leaves_at)
        if gate_answer is None:
            return None
""",
        after="""        gate_answer = Answer(decision=GateDecision.GO)
""",
        tests=(f"{_SEND}::test_a_single_message_waits_for_the_end_of_its_hold",),
    ),
    Guard(
        name="slot: a throttle that arrives after the claim moves the call",
        file="shared/pacing/slots.py",
        before="return integration is not None and leaves_at < self._send_slots.cooldown_until(integration.rate_limit)",
        after="return False",
        tests=("tests/unit/pacing/test_slot_wait.py::test_a_throttle_after_the_claim_keeps_the_message_unsent",),
    ),
    Guard(
        name="gate: its answer does not expire between the claim and the call",
        file="shared/sending/send.py",
        before="return now - asked_at <= STALE "
        "and self._deps.gate_check.is_open(queue_message, gate_answer, now + ARRIVES)",
        after="return now >= asked_at",
        tests=("tests/unit/sending/test_too_late.py",),
    ),
    Guard(
        name="gate: an opt-out blocks both channels",
        file="shared/policy/consent.py",
        before='return None if _is_later_grant(recorded, given) else "opted_out"',
        after='return None if _is_later_grant(recorded, given) or channel is Channel.SMS else "opted_out"',
        tests=("tests/unit/policy/test_consent.py",),
    ),
    Guard(
        name="order of consents: a grant that was received before a revocation does not outlive it",
        file="shared/policy/consent.py",
        before="granted_at > one.recorded_at and received_at >= one.received_at for one",
        after="granted_at > one.recorded_at for one",
        tests=("tests/unit/policy/test_consent.py::test_who_may_get_messages",),
    ),
    Guard(
        name="order of consents: a revocation yields only to a grant with a later date",
        file="shared/policy/consent.py",
        before="granted_at > one.recorded_at and received_at >= one.received_at for one",
        after="received_at >= one.received_at for one",
        tests=("tests/unit/policy/test_consent.py",),
    ),
    Guard(
        name="order of consents: a repeated revocation is not a new one",
        file="shared/policy/consent.py",
        before="first.setdefault((one.state, one.recorded_at, one.source), one)",
        after="first[one.state, one.recorded_at, one.source] = one",
        tests=("tests/unit/policy/test_consent.py::test_a_revocation_repeated_after_a_grant_is_not_a_new_one",),
    ),
    Guard(
        name="order of consents: no date is in the future",
        file="shared/policy/consent.py",
        before="return stated_at > now + CLOCK_TOLERANCE",
        after="return stated_at > now + 1000000 * CLOCK_TOLERANCE",
        tests=("tests/unit/policy/test_consent.py", _CONSENTS),
    ),
    Guard(
        name="order of consents: a file's grants were received at the time of its distribution's request",
        file="shared/campaigns/create.py",
        before="received_at=distribution.created_at,",
        after="received_at=None,",
        tests=(_CONSENTS,),
    ),
    Guard(
        name="one person: an old number and its new form have one hash",
        file="shared/recipients/number_key.py",
        before='f"{organisation}\\n{present_form(e164)}"',
        after='f"{organisation}\\n{e164}"',
        tests=("tests/unit/recipients/test_renumbering.py",),
    ),
    Guard(
        name="one person: only the operator's own rule converts an old number",
        file="shared/recipients/countries.py",
        before="prefix = change.prefixes.get(national[:2])",
        after='prefix = "07"',
        tests=("tests/unit/recipients/test_renumbering.py",),
    ),
    Guard(
        name="stop: a STOP word inside a sentence revokes nothing",
        file="shared/policy/opt_out.py",
        before="return Wish.UNCLEAR if others else Wish.STOP",
        after="return Wish.STOP",
        tests=("tests/unit/policy/test_stop_words.py",),
    ),
    Guard(
        name="stop: a person is asked once in 24 hours",
        file="shared/webhooks/inbound.py",
        before="if before is not None and now - before.accepted_at < ONCE_IN:",
        after="if before is None and now.year < 2000:",
        tests=(
            "tests/unit/webhooks/test_inbound.py::test_a_sentence_with_a_stop_word_gets_one_question_in_24_hours_and_revokes_nothing",
        ),
    ),
    Guard(
        name="order of consents: a fallback brings no newer grant",
        file="shared/messages/fallbacks.py",
        before="consent_received_at=payload.consent_received_at,",
        after="consent_received_at=now,",
        tests=(_CONSENTS,),
    ),
    Guard(
        name="gate: WhatsApp needs consent",
        file="shared/policy/consent.py",
        before="if channel is Channel.SMS:\n        return None",
        after="if channel:\n        return None",
        tests=("tests/unit/policy/test_consent.py",),
    ),
    Guard(
        name="gate: free text only inside a session",
        file="shared/policy/gate.py",
        before="as_template = gate_input.session_text and not _session_is_open(gate_input, wished)",
        after="as_template = False",
        tests=("tests/unit/policy/test_gate.py",),
    ),
    Guard(
        name="session: it ends after exactly 24 hours",
        file="shared/policy/gate.py",
        before="gate_input.session_until is not None and instant < gate_input.session_until",
        after="gate_input.session_until is not None and instant <= gate_input.session_until",
        tests=("tests/unit/policy/test_gate.py::test_a_free_text_leaves_only_inside_the_session",),
    ),
    Guard(
        name="limit: the people of an hour count until 24 hours after its end",
        file="shared/pacing/daily_limit.py",
        before="return hour_of(now) - WINDOW_HOURS",
        after="return hour_of(now) - WINDOW_HOURS + 1",
        tests=("tests/unit/pacing/test_daily_limit.py",),
    ),
    # ---------------------------------------------------------------------------------------------------- who may enter
    Guard(
        name="signature: only a body signed with the app secret is accepted",
        file="shared/providers/meta/webhook.py",
        before='return any(hmac.compare_digest(f"sha256={digest}".encode(), given) for digest in expected)',
        after="return any(digest for digest in expected)",
        tests=(_WEBHOOK,),
    ),
    Guard(
        name="signature: an empty secret signs nothing",
        file="shared/providers/meta/webhook.py",
        before="for secret in secrets if secret)",
        after="for secret in secrets)",
        tests=(_WEBHOOK,),
    ),
    Guard(
        name="signature: a replaced secret ends after 24 hours",
        file="shared/webhooks/ingress.py",
        before="if previous is not None and self._clock.now() - previous.updated_at < ROTATION:",
        after="if previous is not None:",
        tests=("tests/contract/test_webhook_function.py::test_both_secrets_are_valid_during_a_rotation",),
    ),
    Guard(
        name="receipts: an ID counts only at its own provider",
        file="shared/storage/dynamodb/people.py",
        before='return {"pk": f"{organisation}#receipt#{provider}#{receipt_id}", "sk": "receipt"}',
        after='return {"pk": f"{organisation}#receipt#{receipt_id}", "sk": "receipt"}',
        tests=("tests/contract/test_people.py::test_receipt_ids_providers_and_organisations_are_apart",),
    ),
    Guard(
        name="rate limit: accounts of the same name at two providers are separate",
        file="shared/recipients/number_key.py",
        before='return self._hash(f"account\\n{provider}\\n{account_id}")',
        after='return self._hash(f"account\\n{account_id}")',
        tests=("tests/toy_provider/test_second_provider.py",),
    ),
    Guard(
        name="Orange's path token",
        file="shared/webhooks/ingress.py",
        before="if integration is None or not _same(token, integration.receipt_token.value):",
        after="if integration is None:",
        tests=("tests/contract/test_webhook_abuse.py::test_a_receipt_with_a_wrong_token_or_address_is_refused",),
    ),
    Guard(
        name="Orange's addresses",
        file="shared/webhooks/ingress.py",
        before="return any(address in ipaddress.ip_network(network) for network in integration.receipt_addresses)",
        after="return address is not None",
        tests=("tests/contract/test_webhook_abuse.py::test_a_receipt_with_a_wrong_token_or_address_is_refused",),
    ),
    Guard(
        name="scope: a token without it is refused",
        file="shared/api/router.py",
        before="if request.caller is None or scope not in request.caller.scopes:",
        after="if request.caller is None:",
        tests=("tests/unit/api/test_router.py",),
    ),
    Guard(
        name="organisation: every key of the log starts with it",
        file="shared/storage/dynamodb/message_item.py",
        before='return f"{organisation}#{message_id}"',
        after='return f"o#{message_id}"',
        tests=("tests/contract/test_log_rows.py::test_every_field_comes_back",),
    ),
    Guard(
        name="card host: only allowed hosts",
        file="shared/providers/cards.py",
        before="if card is None or (refused := self.allowed(reference, organisation)):",
        after="if card is None or (refused := None):",
        tests=(_CARDS,),
    ),
    Guard(
        name="card host: no private address, even if its DNS name leads to one",
        file="shared/providers/cards.py",
        before="if not (host and host.local) and not all(is_public(address) for address in found):",
        after="if host is None:",
        tests=(_CARDS,),
    ),
    Guard(
        name="card: at most 5 MB, checked while it streams",
        file="shared/providers/cards.py",
        before="""                content += part
                _whole(content)""",
        after="""                content += part
                _whole(content[: len(content) // 4])""",
        tests=(_CARDS,),
    ),
    # --------------------------------------------------------------------------------------------------- personal data
    Guard(
        name="distribution: its name holds no phone number",
        file="shared/api/validation.py",
        before=" and without_numbers(plain) == plain",
        after="",
        tests=("tests/unit/api/test_validation.py::test_a_name_is_one_line_without_a_phone_number",),
    ),
    Guard(
        name="mask: the middle of a number is hidden",
        file="shared/recipients/masking.py",
        before='return f"+{code}{national[:2]}***{national[-4:]}"',
        after='return f"+{code}{national[:2]}{national[2:-4]}{national[-4:]}"',
        tests=("tests/unit/recipients/test_masking.py",),
    ),
    Guard(
        name="mask: Meta's message ID is blanked before it is stored",
        file="shared/providers/meta/client.py",
        before="return Taken(provider_message_id=blank_number_in_wamid(message_id), held=held)",
        after="return Taken(provider_message_id=message_id, held=held)",
        tests=("tests/unit/providers/test_whatsapp_client.py",),
    ),
    Guard(
        name="exceptions: an exception leaves a handler with its type and no text",
        file="shared/app/telemetry.py",
        before="raise InvocationFailedError(type(error).__name__) from None",
        after="raise",
        tests=("tests/unit/app/test_telemetry.py",),
    ),
    Guard(
        name="log: a value that looks like a number is not shown",
        file="shared/app/telemetry.py",
        before="    if not isinstance(value, str) or _UUID.fullmatch(value):",
        after="    if value is not None:",
        tests=("tests/unit/app/test_telemetry.py",),
    ),
    # --------------------------------------------------------------------------------------------------------- tenants
    Guard(
        name="card owner: an s3:// key begins with the organisation's own ID",
        file="shared/cards/references.py",
        before="card.bucket in buckets and is_owned(card.key, organisation) else",
        after="card.bucket in buckets else",
        tests=("tests/unit/cards/test_card_reference.py", "tests/unit/texts/test_composition.py"),
    ),
    Guard(
        name="card owner: no path leads out of the organisation's folder",
        file="shared/cards/references.py",
        before=' and key.startswith(f"{organisation}/") and not _LEAVES.search(key)',
        after=' and key.startswith(f"{organisation}/")',
        tests=("tests/unit/cards/test_card_reference.py",),
    ),
    Guard(
        name="card owner: the sender checks again, for every queue message",
        file="shared/providers/cards.py",
        before="return check(reference, self._hosts, self._buckets, organisation=organisation)",
        after='return check(reference, self._hosts, self._buckets, organisation=f"{reference}///".split("/")[3])',
        tests=(_CARDS,),
    ),
    Guard(
        name="shared rate: an organisation that only typed an account's name is no member",
        file="shared/pacing/rate_limit.py",
        before="return min(valid_rates.values()) if organisation in valid_rates else None",
        after="return min(valid_rates.values(), default=None)",
        tests=(
            "tests/contract/test_shared_rates.py::test_an_organisation_without_proof_neither_slows_nor_holds_nor_sees_the_members",
        ),
    ),
    Guard(
        name="shared rate: the members' lowest rate counts",
        file="shared/pacing/rate_limit.py",
        before="return min(valid_rates.values()) if organisation in valid_rates else None",
        after="return valid_rates.get(organisation)",
        tests=("tests/contract/test_shared_rates.py",),
    ),
    Guard(
        name="shared rate: no booking at an outdated rate",
        file="shared/storage/dynamodb/rate_limits.py",
        before='return (*conditions, "members = :members"),',
        after='return (*conditions, ":members = :members"),',
        tests=("tests/contract/test_shared_rates.py::test_members_share_the_send_slots_at_the_lowest_rate",),
    ),
    Guard(
        name="shared rate: settings older than the stored ones change nothing",
        file="shared/storage/dynamodb/rate_limits.py",
        before='older = f"(attribute_not_exists({_VERSION}{name}) OR {_VERSION}{name} <= :version)"',
        after='older = ":version = :version"',
        tests=("tests/contract/test_shared_rates.py::test_outdated_settings_change_nothing",),
    ),
    Guard(
        name="shared rate: an organisation that joined while its settings ended leaves again",
        file="shared/pacing/members.py",
        before="if newest is None or newest.rate_limit != rate_limit:",
        after="if rate_limit is None:",
        tests=("tests/unit/pacing/test_members.py::test_an_organisation_deleted_during_its_proof_is_no_member",),
    ),
    Guard(
        name="settings: of two changes at once the later one loses nothing of the other",
        file="shared/integrations/administration.py",
        before="if not await self._deps.integrations.put(integration, replacing=stored.version):",
        after="if not await self._deps.integrations.put(integration):",
        tests=("tests/unit/integrations/test_patch.py",),
    ),
    Guard(
        name="settings: only the state that was read is replaced",
        file="shared/storage/secrets.py",
        before="SecretString=text, ClientRequestToken=following(version))",
        after="SecretString=text)",
        tests=("tests/contract/test_integrations.py::test_a_conditional_write_replaces_only_what_was_read",),
    ),
    Guard(
        name="secrets: the previous version of an erased secret cannot be read either",
        file="shared/storage/secrets.py",
        before="for version in (first, following(first)):",
        after="for version in (first,):",
        tests=(_SECRETS,),
    ),
    Guard(
        name="secrets: an erased secret reads as empty",
        file="shared/storage/secrets.py",
        before="return None if found is None or found.text == ERASED else found",
        after="return found",
        tests=(_SECRETS,),
    ),
    Guard(
        name="secrets: a worker that read a secret before its erasure cannot fill it again",
        file="shared/storage/secrets.py",
        before="SecretString=ERASED, ClientRequestToken=version)",
        after="SecretString=ERASED)",
        tests=(_SECRETS,),
    ),
    Guard(
        name="look-ups: no more than a person needs in any minute",
        file="functions/api/people.py",
        before="await app.lookups.allow(request.organisation, request.subject, Lookup.CONSENT)",
        after="",
        tests=(
            "tests/contract/test_person_functions.py::test_no_more_than_sixty_look_ups_of_one_person_in_any_minute",
        ),
    ),
    Guard(
        name="look-ups: of two calls at once only one takes the last place",
        file="shared/storage/dynamodb/counters.py",
        before='conditions=("calls = :seen",)',
        after='conditions=(":seen = :seen",)',
        tests=("tests/contract/test_call_counts.py::test_many_concurrent_calls_do_not_exceed_the_quota",),
    ),
    # ---------------------------------------------------------------------------------- which account a webhook is for
    Guard(
        name="webhook: an update of another account changes nothing",
        file="shared/webhooks/account_updates.py",
        before="if not webhook_event.source.is_about_account(integration):",
        after="if integration is None:",
        tests=(_WHOSE_WEBHOOK,),
    ),
    Guard(
        name="webhook: without an account in the settings every update is another account's",
        file="shared/webhooks/updates.py",
        before="return named is not None and self.account == named and",
        after="return self.account == (named or self.account) and",
        tests=(_WHOSE_WEBHOOK,),
    ),
    Guard(
        name="webhook: an update of another number of the account changes nothing",
        file="shared/webhooks/updates.py",
        before='return self.shown_number in ("", integration.sender_number.removeprefix("+"))',
        after="return True",
        tests=(_WHOSE_WEBHOOK,),
    ),
    Guard(
        name="webhook: a message to another account changes nothing",
        file="shared/webhooks/inbound.py",
        before="if not await self._is_of_others(organisation, webhook_event.source):",
        after="if webhook_event.source is not None:",
        tests=(_WHOSE_WEBHOOK,),
    ),
    Guard(
        name="webhook: a restriction of calls stops no campaign",
        file="shared/providers/meta/account.py",
        before="for kind, expiration in reported if kind in STOPPING_RESTRICTIONS]",
        after="for kind, expiration in reported]",
        tests=("tests/unit/providers/test_whatsapp_updates.py",),
    ),
    Guard(
        name="webhook: a restriction that has ended stops nothing",
        file="shared/webhooks/account_updates.py",
        before="and webhook_event.until <= self._deps.clock.now()",
        after="and webhook_event.at is None",
        tests=(_WHOSE_WEBHOOK,),
    ),
    Guard(
        name="webhook: invented organisations cost few reads",
        file="shared/storage/secrets.py",
        before="return _MISSES.wait(self._missed.get(kind, ()), microseconds(now)) is None",
        after="return True",
        tests=(
            "tests/contract/test_webhook_abuse.py::test_unknown_organisations_are_refused_alike_and_cost_few_reads",
        ),
    ),
    Guard(
        name="webhook: the memory of organisations is limited",
        file="shared/base/caches.py",
        before="if len(self._kept) > self._most:",
        after="if self._most == 0:",
        tests=("tests/unit/base/test_lru.py",),
    ),
    Guard(
        name="status: a WhatsApp status moves no SMS, a receipt no WhatsApp message",
        file="shared/messages/ports.py",
        before="return self.channel in (None, row.channel) and (",
        after="return (",
        tests=(_WHOSE_STATUS,),
    ),
    Guard(
        name="status: a status of another number moves nothing",
        file="shared/messages/ports.py",
        before="(self.sender is None or row.sender in (None, self.sender))",
        after="(self.sender is None or row is not None)",
        tests=(_WHOSE_STATUS,),
    ),
    Guard(
        name="status: the store's condition has the channel too",
        file="shared/storage/dynamodb/log.py",
        before='found.append(("channel = :channel", ":channel", str(move.channel)))',
        after='found.append((":channel = :channel", ":channel", str(move.channel)))',
        tests=(f"{_MOVES}::test_a_status_that_cannot_be_the_messages_own_changes_nothing",),
    ),
    Guard(
        name="status: the store's condition has the number too",
        file="shared/storage/dynamodb/log.py",
        before='found.append((_SENT_BY, ":sender", move.sender))',
        after='found.append((":sender = :sender", ":sender", move.sender))',
        tests=(f"{_MOVES}::test_a_status_that_cannot_be_the_messages_own_changes_nothing",),
    ),
    Guard(
        name="status: a refused card frees only its own message",
        file="shared/messages/status_writer.py",
        before="if row is not None and move.is_about(row):",
        after="if row is not None:",
        tests=(_WHOSE_STATUS,),
    ),
    # ------------------------------------------------------------------------------------------------------------ text
    Guard(
        name="segments: an escape pair is never split over two segments",
        file="shared/texts/sms.py",
        before="if used + width > capacity:",
        after="if used >= capacity:",
        tests=("tests/unit/texts/test_segments.py",),
    ),
    # --------------------------------------------------------------------------------------- what other systems send
    Guard(
        name="DHIS2: a deleted or inactive person gets nothing",
        file="shared/recipients/recipient.py",
        before="if record.get(flag) is True:",
        after="if False:",
        tests=("tests/unit/recipients/test_dhis2.py",),
    ),
    Guard(
        name="DHIS2: a deleted enrolment does not count",
        file="shared/recipients/recipient.py",
        before='[one for one in ours if one.get("deleted") is not True]',
        after="ours",
        tests=("tests/unit/recipients/test_dhis2.py",),
    ),
    Guard(
        name="DHIS2: another programme's enrolment does not count",
        file="shared/recipients/recipient.py",
        before='if program is None or one.get("program") in (None, program)]',
        after="]",
        tests=("tests/unit/recipients/test_dhis2.py",),
    ),
    Guard(
        name="references: a number hidden between letters is found",
        file="shared/recipients/recipient.py",
        before="return not any(map(_may_be_number, _groupings(rest)))",
        after="return True",
        tests=("tests/unit/recipients/test_identities.py",),
    ),
    Guard(
        name="cancel of one message: a message that a sender has claimed does not end as cancelled",
        file="shared/messages/cancel.py",
        before="reason=CANCELLED, unclaimed=True, only_pending=True",
        after="reason=CANCELLED",
        tests=("tests/unit/messages/test_cancel.py",),
    ),
    Guard(
        name="lists: a failed row enters the index of failures",
        file="shared/storage/dynamodb/log.py",
        before='same_as={FAILURE: "listed_at"} if move.status is Status.FAILED else {},',
        after="same_as={},",
        tests=("tests/contract/test_log_page.py::test_the_status_filter_uses_the_present_status[moto-failed-query0]",),
    ),
    Guard(
        name="test send: a country that is not covered is refused before anything is logged",
        file="shared/sending/test_send.py",
        before="raise Refusal(ProblemCode.UNPROCESSABLE, (_of_request(field_error_of(reason)),))",
        after="return",
        tests=("tests/unit/sending/test_send_test.py",),
    ),
    Guard(
        name="texts: a text with an unknown variable is never sent",
        file="shared/texts/templates.py",
        before="_LIKE_A_NAME.fullmatch(name) or _HOLDS_A_NAME.search(name)",
        after="name in VARIABLES",
        tests=("tests/unit/texts/test_variables.py",),
    ),
    # ------------------------------------------------------------------------------------------------------------ files
    Guard(
        name="phone: a number that a spreadsheet has rounded is refused",
        file="shared/recipients/phone.py",
        before="if scientific and len(scientific[2]) == int(scientific[3]):",
        after="if scientific:",
        tests=(_PHONE,),
    ),
    Guard(
        name="phone: the fraction of a decimal is no part of the number",
        file="shared/recipients/phone.py",
        before="if decimal := _FLOAT.fullmatch(text):",
        after='if decimal := re.fullmatch("(x)", text):',
        tests=(_PHONE,),
    ),
    Guard(
        name="phone: a WhatsApp link that may also be a national number is refused",
        file="shared/recipients/phone.py",
        before="if number is None or national not in (None, number):",
        after="if number is None and (number := national) is None:",
        tests=(_PHONE,),
    ),
    Guard(
        name="file: letters that cannot be decoded refuse the file",
        file="shared/recipients/files/text.py",
        before="if not line.isascii() and _ESCAPED.search(line):",
        after="if line.isascii() and _ESCAPED.search(line):",
        tests=(f"{_FILES}/test_text.py",),
    ),
    Guard(
        name="file: titles of a line with a number in it are not shown",
        file="shared/recipients/files/header.py",
        before="hidden = _has_number(cells)",
        after="hidden = False",
        tests=(f"{_FILES}/test_header.py",),
    ),
    Guard(
        name="file: two columns for one field refuse the file",
        file="shared/recipients/files/header.py",
        before="if len(places) > 1:",
        after="if len(places) > 2:",
        tests=(f"{_FILES}/test_header.py",),
    ),
    Guard(
        name="file: the bytes of an unpacked workbook are counted",
        file="shared/storage/workbook_child.py",
        before="unpacked += len(block)",
        after="unpacked += 0",
        tests=(f"{_FILES}/test_workbook.py::test_workbooks_that_are_no_list[bomb-workbook_unpacks_too_large]",),
    ),
    Guard(
        name="file: the process that reads a workbook has a limit of memory",
        file="shared/storage/workbook_child.py",
        before="resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))",
        after="pass",
        tests=(f"{_FILES}/test_workbook.py::test_the_process_that_reads_has_limits_and_no_credentials",),
    ),
    Guard(
        name="file: the process that reads a workbook has no credentials",
        file="shared/storage/workbooks.py",
        before="env=paths,",
        after="env=os.environ | paths,",
        tests=(f"{_FILES}/test_workbook.py::test_the_process_that_reads_has_limits_and_no_credentials",),
    ),
)
