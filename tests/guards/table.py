"""The guards: lines without which somebody gets two cards, none, one at night, or sees a stranger's number.

`make guards` takes each out of a copy of the code, alone, and runs the tests that are named beside it. A guard whose
tests still pass is guarded by nobody.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """`before` stands exactly once in `file`; `after` is the code without the guard. `tests`: pytest node IDs or files;
    at least one test of them has to fail then."""

    name: str
    file: str
    before: str
    after: str
    tests: tuple[str, ...]


_SEND = "tests/unit/sending/test_send.py"
_BULK = "tests/unit/campaigns/test_bulk.py"
_HOLDING = "tests/unit/holds/test_holding.py"
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
_COUNTS = "tests/contract/test_counts.py"

GUARDS = (
    # ----------------------------------------------------------------------------------------------------------- queues
    Guard(
        name="queue: a body is ASCII, because SQS refuses some characters",
        file="shared/storage/codec.py",
        before="return _BEYOND_ASCII.sub(lambda found: json.dumps(found[0])[1:-1], encode(value).decode())",
        after="return encode(value).decode()",
        tests=(_QUEUES,),
    ),
    Guard(
        name="queue: a message that is too long for it is told, and does not hold the others",
        file="shared/storage/queues.py",
        before='if len(one["MessageBody"]) <= LONGEST]',
        after="]",
        tests=(_QUEUES,),
    ),
    Guard(
        name="queue: what SQS calls our fault ends a message only if the fault is the message's own",
        file="shared/storage/queues.py",
        before='if one["SenderFault"] and one["Code"].endswith(_UNFIT)}',
        after='if one["SenderFault"]}',
        tests=(_QUEUES,),
    ),
    Guard(
        name="queue: a message that it can never carry ends with a reason",
        file="shared/sending/enqueue_now.py",
        before="await self._status_writer.end_unsent(one.organisation, one.message_id, UNFIT, now)",
        after="pass",
        tests=("tests/unit/sending/test_unfit.py",),
    ),
    Guard(
        name="erasure: an uploaded file goes once its plan stands",
        file="shared/policy/erasure.py",
        before="await self._deps.uploads.erase(distribution.organisation, distribution.upload_id)",
        after="pass",
        tests=("tests/unit/policy/test_erasure.py",),
    ),
    Guard(
        name="values: what no message can carry is removed, and told",
        file="shared/recipients/recipient.py",
        before="values = carriable_values(merged)",
        after="values = dict(merged)",
        tests=("tests/unit/recipients/test_recipient.py",),
    ),
    # ----------------------------------------------------------------------------------------------------------- counts
    Guard(
        name="counts: moves that a recount may have seen are not added to it",
        file="shared/storage/dynamodb/distributions.py",
        before="attribute_not_exists(counted_at) OR counted_at < :began",
        after="attribute_not_exists(counted_at) OR counted_at < :began OR counted_at >= :began",
        tests=(_COUNTS,),
    ),
    Guard(
        name="counts: a wish that comes while a chunk is recounted stays",
        file="shared/storage/dynamodb/distributions.py",
        before='"wishes = :seen" if wishes else',
        after='"wishes >= :seen" if wishes else',
        tests=(_COUNTS,),
    ),
    Guard(
        name="counts: a cancel lists the rows that were never released",
        file="shared/campaigns/cancel.py",
        before="elif waiting := _never_logged(distribution):",
        after="elif waiting := _never_logged(distribution)[:0]:",
        tests=(_BULK,),
    ),
    Guard(
        name="counts: work that comes again has its chunk recounted",
        file="shared/messages/status_writer.py",
        before="if before is not None and not moved.won and not move.is_duplicate and before.status is move.status:",
        after="if before is not None and moved.won and not move.is_duplicate and before.status is move.status:",
        tests=("tests/unit/campaigns/test_tallies.py",),
    ),
    Guard(
        name="counts: an echo of the sender's own status asks for no recount",
        file="shared/messages/status_writer.py",
        before="not moved.won and not move.is_duplicate and before.status is move.status",
        after="not moved.won and before.status is move.status",
        tests=("tests/unit/campaigns/test_tallies.py",),
    ),
    # ------------------------------------------------------------------------------------------------------------ holds
    Guard(
        name="hold: a stop of one country holds that country alone",
        file="shared/holds/keeper.py",
        before="""return country_scope(payload.country, identity)
        case Scope.TEMPLATE""",
        after="""return ACCOUNT
        case Scope.TEMPLATE""",
        tests=(_HOLDING,),
    ),
    Guard(
        name="hold: a stop of a template holds one language of it",
        file="shared/holds/keeper.py",
        before="return template_scope(template.name, template.language, identity)",
        after="return ACCOUNT",
        tests=("tests/unit/sending/test_refusals.py",),
    ),
    Guard(
        name="hold: an error of before the hold's last change changes nothing",
        file="shared/holds/keeper.py",
        before="return holds if is_old else holds.set(scope, reason, now, reported_later=reported_later)",
        after="return holds.set(scope, reason, now, reported_later=reported_later)",
        tests=(_HOLDING,),
    ),
    Guard(
        name="hold: only the message that tries a held scope may leave",
        file="shared/policy/gate_check.py",
        before="if dispatch.probe == str(scope) and hold.is_tried_by(dispatch.message_id, now):",
        after="if dispatch.probe is None or hold.is_tried_by(dispatch.message_id, now):",
        tests=(_HOLDING,),
    ),
    Guard(
        name="hold: no fallback starts while its message is held",
        file="shared/messages/agenda.py",
        before="""            if not await self._is_parked(message, states):
                await self._fall_back""",
        after="""            if True:
                await self._fall_back""",
        tests=(_HOLDING,),
    ),
    Guard(
        name="hold: its end never ends a person's pause",
        file="shared/campaigns/distribution.py",
        before="return self.status is DistributionStatus.PAUSED and self.status_reason != PAUSED_BY_USER",
        after="return self.status is DistributionStatus.PAUSED",
        tests=(_HOLDING, _BULK),
    ),
    # ------------------------------------------------------------------------------------------ what Meta tells later
    Guard(
        name="status without our key: it is found by its message ID",
        file="shared/webhooks/meta_documents.py",
        before="return status.attempt or attempts.get(status.provider_message_id)",
        after="return status.attempt",
        tests=("tests/unit/webhooks/test_receive.py",),
    ),
    Guard(
        name="status without our key: an ID that two messages bear says nothing",
        file="shared/messages/status_effects.py",
        before="number=found[0].attempts) if len(found) == 1 else None",
        after="number=found[0].attempts) if found else None",
        tests=("tests/unit/webhooks/test_receive.py",),
    ),
    Guard(
        name="refused picture: the card is uploaded anew once in a message's life",
        file="shared/storage/dynamodb/log.py",
        before="""*(("attribute_not_exists(card_after)",) if anew else ())""",
        after="*(())",
        tests=("tests/contract/test_log_once_more.py",),
    ),
    Guard(
        name="refused picture: an upload from before the refusal is not shown again",
        file="shared/sending/send.py",
        before="elif claim.message.card_after is not None and dispatch.payload.card_after is None:",
        after="elif claim.message.card_after is None and dispatch.payload.card_after is not None:",
        tests=("tests/unit/cards/test_new_upload.py",),
    ),
    # ------------------------------------------------------------------------------------------------------ sent once
    Guard(
        name="claim: a message that another copy holds is not claimed again",
        file="shared/storage/dynamodb/log.py",
        before='conditions=(_OPEN, _UNCLAIMED, "attribute_not_exists(due_at)"),',
        after='conditions=(_OPEN, "attribute_not_exists(due_at)"),',
        tests=(_CLAIMS,),
    ),
    Guard(
        name="claim: a message that has ended is not claimed again",
        file="shared/storage/dynamodb/log.py",
        before='conditions=(_OPEN, _UNCLAIMED, "attribute_not_exists(due_at)"),',
        after='conditions=(_UNCLAIMED, "attribute_not_exists(due_at)"),',
        tests=(_CLAIMS, "tests/contract/test_log_sequences.py"),
    ),
    Guard(
        name="claim: only who has won it calls the provider",
        file="shared/sending/send.py",
        before="if claim.message is None or claim.answer in (ClaimAnswer.HELD, ClaimAnswer.DONE):",
        after="if claim.message is None:",
        tests=(_SEND,),
    ),
    Guard(
        name="lease: one that has ended makes the outcome unknown, and nobody sends",
        file="shared/sending/send.py",
        before="elif claim.answer is ClaimAnswer.LAPSED:",
        after="elif claim.answer is None:",
        tests=(_SEND,),
    ),
    Guard(
        name="lease: a dead worker's is noticed where the gate has shut",
        file="shared/sending/send.py",
        before="await self._unknowns.take_if_lapsed(await self._deps.log.get(*key), now)",
        after="pass",
        tests=("tests/unit/sending/test_lapsed.py",),
    ),
    Guard(
        name="claim: a repeated write knows its first attempt by its token",
        file="shared/storage/dynamodb/log.py",
        before="if outcome.done or (message.claim_token == token and",
        after="if outcome.done or (token is None and",
        tests=(_CLAIMS, _OWN_WRITES),
    ),
    Guard(
        name="claim: one that stays unanswered is given back by its token",
        file="shared/sending/send.py",
        before="await self._deps.log.give_back(*key, token=token, due_at=due_at, uses_attempt=False)",
        after="pass",
        tests=(_SEND,),
    ),
    Guard(
        name="claim: it gives up in 3 s, because its call is due",
        file="shared/storage/dynamodb/log.py",
        before='place, client = {"pk": key(organisation, message_id)}, self._aws.claiming',
        after='place, client = {"pk": key(organisation, message_id)}, self._aws.dynamodb',
        tests=(_OWN_WRITES,),
    ),
    Guard(
        name="lease: only the claim that holds it gives it back",
        file="shared/storage/dynamodb/log.py",
        before="""removes=(*_LEASE, *(() if due_at else _NEXT_CHECK), *forgotten),
            conditions=(_OPEN, _IS_HELD_BY, _CLAIMED),""",
        after="""removes=(*_LEASE, *(() if due_at else _NEXT_CHECK), *forgotten),
            conditions=(_OPEN, ":token = :token", _CLAIMED),""",
        tests=(_CLAIMS, "tests/contract/test_log_sequences.py"),
    ),
    Guard(
        name="unknown: only the claim that was seen to lapse ends so",
        file="shared/storage/dynamodb/log.py",
        before="""    if move.claim is not None:
        conditions.append(_IS_HELD_BY)
        values""",
        after="""    if move.claim is None:
        conditions.append(_IS_HELD_BY)
        values""",
        tests=(_CLAIMS,),
    ),
    Guard(
        name="card: a first failure may be the host's, and fails nothing",
        file="shared/cards/failures.py",
        before="is_back = await self._is_back(pair, dispatch) if since is not None else None",
        after="is_back, since = await self._is_back(pair, dispatch), since or now",
        tests=("tests/unit/cards/test_failed_cards.py",),
    ),
    Guard(
        name="card: it fails only if the host, which serves another one, still does not serve it",
        file="shared/cards/failures.py",
        before="return await can_be_fetched(self._cards, own, pair.organisation)",
        after="return False",
        tests=("tests/unit/cards/test_failed_cards.py",),
    ),
    Guard(
        name="card: ten failures in a row hold the host's rows",
        file="shared/sending/send.py",
        before="if decision.action is CardAction.HOLD and scope is not None:",
        after="if False and scope is not None:",
        tests=("tests/unit/cards/test_failed_cards.py",),
    ),
    Guard(
        name="unknown: a lost answer to a send is never taken for not sent",
        file="shared/providers/errors.py",
        before='"outcome_unknown") if call is Call.ONCE else SendError(Kind.RETRY, code)',
        after='"outcome_unknown") if call is None else SendError(Kind.RETRY, code)',
        tests=("tests/unit/providers/test_http.py", "tests/unit/providers/test_whatsapp_client.py"),
    ),
    Guard(
        name="unknown: a WhatsApp message in doubt goes out a second time at most",
        file="shared/storage/dynamodb/log.py",
        before='"attribute_not_exists(resent)",',
        after="",
        tests=("tests/contract/test_log_once_more.py",),
    ),
    Guard(
        name="attempt: a failure of an older one says nothing",
        file="shared/storage/dynamodb/log.py",
        before='conditions += [_CARD_IS, _AS_WRITTEN] if move.card_half else ["attempts = :attempt"]',
        after='conditions += [_CARD_IS, _AS_WRITTEN] if move.card_half else [":attempt = :attempt"]',
        tests=("tests/contract/test_log_moves.py", "tests/contract/test_log_sequences.py"),
    ),
    Guard(
        name="watch: the agenda enqueues first and moves the watch on afterwards",
        file="shared/sending/enqueue_again.py",
        before="""    another = await another_card(""",
        after="""    await set_next_check(on.log, message, None)
    another = await another_card(""",
        tests=(_SEND, "tests/unit/sending/test_unknown_outcomes.py"),
    ),
    Guard(
        name="watch: a single message is looked after from the moment it is logged",
        file="shared/messages/factory.py",
        before="due_at = scheduled_for or message.accepted_at + CHECK_AFTER",
        after="due_at = scheduled_for",
        tests=(_SEND,),
    ),
    Guard(
        name="idempotency: another body under the same key is refused",
        file="shared/messages/single.py",
        before="if existing.request_hash != new.request_hash:",
        after="if existing.request_hash is None:",
        tests=("tests/unit/sending/test_refusals.py", "tests/stack/test_single_messages.py"),
    ),
    Guard(
        name="content: a single message's is named by what it holds",
        file="shared/storage/plans.py",
        before="key = single_key(organisation, person, message_id, self._hashed(body))",
        after='key = single_key(organisation, person, message_id, "payload")',
        tests=("tests/contract/test_plans.py",),
    ),
    Guard(
        name="content: a distribution's order is named by what it holds",
        file="shared/storage/plans.py",
        before="name = self._hashed(body)",
        after='name = "order"',
        tests=("tests/contract/test_plans.py",),
    ),
    Guard(
        name="content: what is stored is written once",
        file="shared/storage/plans.py",
        before='Body=body, IfNoneMatch="*")',
        after="Body=body)",
        tests=("tests/contract/test_plans.py",),
    ),
    Guard(
        name="erasure: what a planning run that died has stored is found",
        file="shared/policy/erasure.py",
        before="places = [*_unlogged(distribution), *await self._leftovers(distribution)]",
        after="places = [*_unlogged(distribution)]",
        tests=("tests/unit/policy/test_erasure.py",),
    ),
    Guard(
        name="duplicates: brothers and sisters on one phone are told apart by the best mark that they have",
        file="shared/duplicates/dedupe_key.py",
        before="""                if mark.decides or decides:
                    yield row, level""",
        after="""                if mark.decides or row:
                    yield row, level""",
        tests=("tests/unit/duplicates/test_duplicates.py",),
    ),
    Guard(
        name="already sent: a row is compared again as it is logged",
        file="shared/campaigns/release.py",
        before="elif row.row in sent:",
        after="elif row.row is None:",
        tests=(_AT_LOGGING,),
    ),
    Guard(
        name="already sent: of two that log at once, the earlier turn does not wait for the later one",
        file="shared/duplicates/already_sent.py",
        before="if distribution.distribution_id in self._give_way:",
        after="if distribution.distribution_id is None:",
        tests=(_AT_LOGGING,),
    ),
    Guard(
        name="already sent: what a cancel has not ended yet is ended before its person is free",
        file="shared/duplicates/already_sent.py",
        before="return not (is_cancelled and message.is_open and await self._has_ended(message))",
        after="return True",
        tests=(_AT_LOGGING,),
    ),
    Guard(
        name="fallback: never after the WhatsApp message has arrived",
        file="shared/policy/gate_check.py",
        before="if parent is not None and parent.status in ARRIVED:",
        after="if parent is not None and parent.status is None:",
        tests=("tests/unit/messages/test_fallbacks.py",),
    ),
    Guard(
        name="fallback: by time only once Meta is known to be reporting",
        file="shared/messages/agenda.py",
        before="if await self._waits.puts_off(parent, now):",
        after="if parent is None:",
        tests=(_SILENT,),
    ),
    Guard(
        name="fallback: a message that was claimed at the same instant does not speak for another",
        file="shared/sending/unknown_outcome.py",
        before="self.last_claimed_at > claimed_at",
        after="self.last_claimed_at >= claimed_at",
        tests=(_SILENT,),
    ),
    Guard(
        name="fallback: after a silence a `sent` waits for its `delivered`",
        file="shared/messages/fallback.py",
        before="return Timing.BACKLOG if _has_waited(row, starts_at) else Timing.START",
        after="return Timing.START",
        tests=(_SILENT,),
    ),
    Guard(
        name="fallback: what Meta holds for assessment waits 24 hours",
        file="shared/messages/fallback.py",
        before="""    if row.quality_hold:
        return Timing.WAIT
""",
        after="",
        tests=(_SILENT,),
    ),
    Guard(
        name="fallback: an instant that Meta tells and that is still to come proves nothing",
        file="shared/sending/last_heard.py",
        before="latest.at = _later(latest.at, min(report.at, self._clock.now()))",
        after="latest.at = _later(latest.at, report.at)",
        tests=(_SILENT,),
    ),
    Guard(
        name="fallback: a message whose fallback has begun is not sent again itself",
        file="shared/storage/dynamodb/log.py",
        before='"attribute_not_exists(fell_back)",',
        after="",
        tests=("tests/contract/test_log_once_more.py",),
    ),
    # ---------------------------------------------------------------------------------------------------------- status
    Guard(
        name="status: nothing goes backwards",
        file="shared/messages/status.py",
        before="Status.SENT: frozenset({Status.PENDING}),",
        after="Status.SENT: frozenset({Status.PENDING, Status.DELIVERED}),",
        tests=("tests/unit/messages/test_status.py", "tests/contract/test_log_moves.py"),
    ),
    Guard(
        name="status: a cancel or an opt-out ends nothing that a worker holds",
        file="shared/storage/dynamodb/log.py",
        before='conditions = [f"({from_allowed} OR attribute_exists(retrying))", _UNCLAIMED]',
        after='conditions = [f"({from_allowed} OR attribute_exists(retrying))"]',
        tests=("tests/contract/test_log_moves.py",),
    ),
    Guard(
        name="receipts: one that comes before its name is parked and found",
        file="shared/sending/channel.py",
        before="return [move for move in moves if move is not None]",
        after="return [move for move in moves if move is not None and parked is None]",
        tests=("tests/unit/sending/test_sms_outcomes.py",),
    ),
    # ------------------------------------------------------------------------------------------------------------ bulk
    Guard(
        name="epoch: copies of before a pause have no effect",
        file="shared/policy/gate_check.py",
        before="if not distribution.may_leave or dispatch.epoch != distribution.epoch_of(dispatch.chunk.run):",
        after="if not distribution.may_leave:",
        tests=(_BULK,),
    ),
    Guard(
        name="pause: copies on the queue ask whether their distribution still sends",
        file="shared/policy/gate_check.py",
        before="if not distribution.may_leave or dispatch.epoch != distribution.epoch_of(dispatch.chunk.run):",
        after="if dispatch.epoch not in (distribution.epoch - 1, distribution.epoch_of(dispatch.chunk.run)):",
        tests=(_BULK,),
    ),
    Guard(
        name="cancel: copies on the queue end without a call",
        file="shared/policy/gate_check.py",
        before="""            return Answer(decision=GateDecision.NEVER, reason="cancelled")
        if not distribution.may_leave or""",
        after="""            return None
        if not distribution.may_leave or""",
        tests=(_BULK, "tests/unit/messages/test_model.py"),
    ),
    Guard(
        name="revision: a distribution is replaced only as it was read",
        file="shared/storage/dynamodb/distributions.py",
        before='ConditionExpression="revision = :seen",',
        after='ConditionExpression="revision = :seen OR revision <> :seen",',
        tests=("tests/contract/test_distributions.py",),
    ),
    Guard(
        name="release: a chunk is in the log before any of its messages is on the queue",
        file="shared/campaigns/release.py",
        before="        await self._deps.log.add_all(messages)\n",
        after="",
        tests=(_BULK,),
    ),
    Guard(
        name="log: a chunk is not taken for logged while one of its rows was refused",
        file="shared/storage/dynamodb/batches.py",
        before="if code != _THERE]",
        after="if code not in {_THERE, *_PASSING}]",
        tests=("tests/contract/test_second_tries.py",),
    ),
    Guard(
        name="cancel: chunks that may be half logged are looked at too",
        file="shared/campaigns/recount.py",
        before="return [min(run.logged + CHUNKS_AT_ONCE, run.chunks) for run in distribution.planned.runs]",
        after="return [min(run.logged, run.chunks) for run in distribution.planned.runs]",
        tests=(_BULK,),
    ),
    Guard(
        name="release: nothing is booked beyond the window",
        file="shared/campaigns/release.py",
        before="return sum(closes is None or last < closes for last in lasts)",
        after="return sum(closes is None or first < closes for last in lasts)",
        tests=(_BULK,),
    ),
    # ------------------------------------------------------------------------------------------------------- timetable
    Guard(
        name="timetable: no slot is booked twice",
        file="shared/storage/dynamodb/rate_limits.py",
        before='same = f"{name} = :seen" if seen else',
        after='same = f"({name} = :seen OR {name} <> :seen)" if seen else',
        tests=("tests/contract/test_rate_limits.py",),
    ),
    Guard(
        name="timetable: a departure that was missed is void",
        file="shared/pacing/rate_limit.py",
        before="return now - send_slot > STALE_AFTER or send_slot < not_before",
        after="return send_slot < not_before",
        tests=("tests/unit/pacing/test_timetable.py", _SEND),
    ),
    Guard(
        name="throttle: departures from before it are withdrawn",
        file="shared/pacing/rate_limit.py",
        before="return now - send_slot > STALE_AFTER or send_slot < not_before",
        after="return now - send_slot > STALE_AFTER",
        tests=("tests/unit/pacing/test_timetable.py", _SEND),
    ),
    Guard(
        name="throttle: Orange's 403 with code 53 is one",
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
        name="gate: it is asked again just before the call",
        file="shared/sending/send.py",
        before="""        gate_answer = await self._gate_check(dispatch, integration, leaves_at)
        if gate_answer is None:
            return None
""",
        after="""        gate_answer = Answer(decision=GateDecision.GO)
""",
        tests=(_SEND, "tests/unit/pacing/test_limit.py", "tests/unit/policy/test_session_messages.py"),
    ),
    Guard(
        name="timetable: a throttle heard with the claim in hand",
        file="shared/pacing/waiting.py",
        before="return integration is not None and leaves_at < self._send_slots.cooldown_until(integration.rate_limit)",
        after="return False",
        tests=("tests/unit/pacing/test_slot_wait.py",),
    ),
    Guard(
        name="gate: its word does not grow old between the claim and the call",
        file="shared/sending/send.py",
        before="return now - asked_at <= STALE and self._deps.gate_check.is_open(dispatch, gate_answer, now + ARRIVES)",
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
        tests=("tests/unit/policy/test_consent.py", _CONSENTS),
    ),
    Guard(
        name="order of consents: a revocation yields only to a grant with a later date",
        file="shared/policy/consent.py",
        before="granted_at > one.recorded_at and received_at >= one.received_at for one",
        after="received_at >= one.received_at for one",
        tests=("tests/unit/policy/test_consent.py",),
    ),
    Guard(
        name="order of consents: one that is told again is not a new one",
        file="shared/policy/consent.py",
        before="first.setdefault((one.state, one.recorded_at, one.source), one)",
        after="first[one.state, one.recorded_at, one.source] = one",
        tests=("tests/unit/policy/test_consent.py", _CONSENTS),
    ),
    Guard(
        name="order of consents: no date lies ahead",
        file="shared/policy/consent.py",
        before="return stated_at > now + CLOCK_TOLERANCE",
        after="return stated_at > now + 1000000 * CLOCK_TOLERANCE",
        tests=("tests/unit/policy/test_consent.py", _CONSENTS),
    ),
    Guard(
        name="order of consents: a file's grants were received when its distribution was asked for",
        file="shared/campaigns/create.py",
        before="received_at=distribution.created_at,",
        after="received_at=None,",
        tests=(_CONSENTS,),
    ),
    Guard(
        name="one person: an old number and the one that it has become have one hash",
        file="shared/recipients/number_key.py",
        before='f"{organisation}\\n{present_form(e164)}"',
        after='f"{organisation}\\n{e164}"',
        tests=("tests/unit/recipients/test_renumbering.py",),
    ),
    Guard(
        name="one person: only the operator's own rule leads from an old number",
        file="shared/recipients/renumbering.py",
        before="prefix = change.prefixes.get(national[:2])",
        after='prefix = "07"',
        tests=("tests/unit/recipients/test_renumbering.py",),
    ),
    Guard(
        name="stop: a word in another sentence revokes nothing",
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
        tests=("tests/unit/webhooks/test_inbound.py",),
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
        name="session: it is over after 24 hours, to the instant",
        file="shared/policy/gate.py",
        before="gate_input.session_until is not None and instant < gate_input.session_until",
        after="gate_input.session_until is not None and instant <= gate_input.session_until",
        tests=("tests/unit/policy/test_gate.py", "tests/unit/policy/test_session_messages.py"),
    ),
    Guard(
        name="limit: an hour's people count until 24 hours after its end",
        file="shared/pacing/daily_limit.py",
        before="return hour_of(now) - WINDOW_HOURS",
        after="return hour_of(now) - WINDOW_HOURS + 1",
        tests=("tests/unit/pacing/test_daily_limit.py",),
    ),
    # ------------------------------------------------------------------------------------------------------- who may in
    Guard(
        name="signature: only what the app secret signed is taken",
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
        tests=("tests/contract/test_webhook_function.py", "tests/unit/webhooks/test_receive.py"),
    ),
    Guard(
        name="receipts: an ID counts at its own provider only",
        file="shared/storage/dynamodb/people.py",
        before='return {"pk": f"{organisation}#receipt#{provider}#{receipt_id}", "sk": "receipt"}',
        after='return {"pk": f"{organisation}#receipt#{receipt_id}", "sk": "receipt"}',
        tests=("tests/contract/test_people.py",),
    ),
    Guard(
        name="rate limit: accounts of the same name at two providers are two",
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
        tests=("tests/contract/test_webhook_abuse.py",),
    ),
    Guard(
        name="Orange's addresses",
        file="shared/webhooks/ingress.py",
        before="return any(address in ipaddress.ip_network(network) for network in integration.receipt_addresses)",
        after="return address is not None",
        tests=("tests/contract/test_webhook_abuse.py",),
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
        tests=("tests/contract/test_log_rows.py", "tests/contract/test_log_page.py"),
    ),
    Guard(
        name="card host: only allowed ones",
        file="shared/providers/cards.py",
        before="if card is None or (refused := self.allowed(reference, organisation)):",
        after="if card is None or (refused := None):",
        tests=(_CARDS,),
    ),
    Guard(
        name="card host: no private address, whatever its DNS says",
        file="shared/providers/cards.py",
        before="if not (host and host.local) and not all(is_public(address) for address in found):",
        after="if host is None:",
        tests=(_CARDS,),
    ),
    Guard(
        name="card: at most 5 MB, while it streams",
        file="shared/providers/cards.py",
        before="""                content += part
                _whole(content)""",
        after="""                content += part
                _whole(content[: len(content) // 4])""",
        tests=(_CARDS,),
    ),
    # --------------------------------------------------------------------------------------------------- personal data
    Guard(
        name="mask: the middle of a number is hidden",
        file="shared/recipients/masking.py",
        before='return f"+{code}{national[:2]}***{national[-4:]}"',
        after='return f"+{code}{national[:2]}{national[2:-4]}{national[-4:]}"',
        tests=("tests/unit/recipients/test_masking.py",),
    ),
    Guard(
        name="mask: Meta's message ID is blanked before anybody stores it",
        file="shared/providers/meta/client.py",
        before="return Taken(provider_message_id=blank_number_in_wamid(message_id), held=held)",
        after="return Taken(provider_message_id=message_id, held=held)",
        tests=("tests/unit/providers/test_whatsapp_client.py",),
    ),
    Guard(
        name="exceptions: what leaves a handler says its type and no more",
        file="shared/app/telemetry.py",
        before="raise InvocationFailedError(type(error).__name__) from None",
        after="raise",
        tests=("tests/unit/app/test_telemetry.py",),
    ),
    Guard(
        name="log: what looks like a number is not shown",
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
        name="card owner: the sender asks again, whoever has queued the message",
        file="shared/providers/cards.py",
        before="return check(reference, self._hosts, self._buckets, organisation=organisation)",
        after='return check(reference, self._hosts, self._buckets, organisation=f"{reference}///".split("/")[3])',
        tests=(_CARDS,),
    ),
    Guard(
        name="shared rate: who has only typed an account's name is no member",
        file="shared/pacing/rate_limit.py",
        before="return min(valid_rates.values()) if organisation in valid_rates else None",
        after="return min(valid_rates.values(), default=None)",
        tests=("tests/contract/test_shared_rates.py",),
    ),
    Guard(
        name="shared rate: the lowest of the members'",
        file="shared/pacing/rate_limit.py",
        before="return min(valid_rates.values()) if organisation in valid_rates else None",
        after="return valid_rates.get(organisation)",
        tests=("tests/contract/test_shared_rates.py",),
    ),
    Guard(
        name="shared rate: no booking at a rate of before",
        file="shared/storage/dynamodb/rate_limits.py",
        before='return (*conditions, "members = :members"),',
        after='return (*conditions, ":members = :members"),',
        tests=("tests/contract/test_shared_rates.py",),
    ),
    Guard(
        name="shared rate: older settings than those noted change nothing",
        file="shared/storage/dynamodb/rate_limits.py",
        before='older = f"(attribute_not_exists({_VERSION}{name}) OR {_VERSION}{name} <= :version)"',
        after='older = ":version = :version"',
        tests=("tests/contract/test_shared_rates.py",),
    ),
    Guard(
        name="shared rate: who joined while its settings ended leaves again",
        file="shared/pacing/members.py",
        before="if newest is None or newest.rate_limit != rate_limit:",
        after="if rate_limit is None:",
        tests=("tests/unit/pacing/test_members.py",),
    ),
    Guard(
        name="secrets: of what was erased the version before cannot be read either",
        file="shared/storage/secrets.py",
        before="for version in (first, following(first)):",
        after="for version in (first,):",
        tests=(_SECRETS,),
    ),
    Guard(
        name="secrets: an erased one holds nothing for those who read it",
        file="shared/storage/secrets.py",
        before="return None if found is None or found.text == ERASED else found",
        after="return found",
        tests=(_SECRETS,),
    ),
    Guard(
        name="secrets: a worker that read it before it was erased cannot fill it again",
        file="shared/storage/secrets.py",
        before="SecretString=ERASED, ClientRequestToken=version)",
        after="SecretString=ERASED)",
        tests=(_SECRETS,),
    ),
    Guard(
        name="look-ups: no more than a person's needs in any minute",
        file="functions/api/people.py",
        before="await app.lookups.allow(request.organisation, request.subject, Lookup.CONSENT)",
        after="",
        tests=("tests/contract/test_person_functions.py",),
    ),
    Guard(
        name="look-ups: of two calls at once only one takes the last place",
        file="shared/storage/dynamodb/counters.py",
        before='conditions=("calls = :seen",)',
        after='conditions=(":seen = :seen",)',
        tests=("tests/contract/test_call_counts.py",),
    ),
    # --------------------------------------------------------------------------------------------------- whose webhook
    Guard(
        name="webhook: news of another account changes nothing",
        file="shared/webhooks/account_updates.py",
        before="if not webhook_event.source.is_about_account(integration):",
        after="if integration is None:",
        tests=(_WHOSE_WEBHOOK,),
    ),
    Guard(
        name="webhook: without an account in the settings all news is another's",
        file="shared/webhooks/updates.py",
        before="return named is not None and self.account == named and",
        after="return self.account == (named or self.account) and",
        tests=(_WHOSE_WEBHOOK,),
    ),
    Guard(
        name="webhook: news of another number of the account changes nothing",
        file="shared/webhooks/updates.py",
        before='return self.shown_number in ("", integration.sender_number.removeprefix("+"))',
        after="return True",
        tests=(_WHOSE_WEBHOOK,),
    ),
    Guard(
        name="webhook: what people tell another account changes nothing",
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
        file="shared/storage/integrations.py",
        before="return _MISSES.wait(self._missed.get(kind, ()), microseconds(now)) is None",
        after="return True",
        tests=("tests/contract/test_integrations.py", "tests/contract/test_webhook_abuse.py"),
    ),
    Guard(
        name="webhook: what is remembered of organisations has an end",
        file="shared/base/caches.py",
        before="if len(self._kept) > self._most:",
        after="if self._most == 0:",
        tests=("tests/unit/base/test_lru.py", "tests/contract/test_integrations.py"),
    ),
    Guard(
        name="status: one of WhatsApp moves no SMS, a receipt no WhatsApp message",
        file="shared/messages/ports.py",
        before="return self.channel in (None, row.channel) and (",
        after="return (",
        tests=(_WHOSE_STATUS,),
    ),
    Guard(
        name="status: another number's moves nothing",
        file="shared/messages/ports.py",
        before="(self.sender is None or row.sender in (None, self.sender))",
        after="(self.sender is None or row is not None)",
        tests=(_WHOSE_STATUS,),
    ),
    Guard(
        name="status: the store asks for the channel too",
        file="shared/storage/dynamodb/log.py",
        before='found.append(("channel = :channel", ":channel", str(move.channel)))',
        after='found.append((":channel = :channel", ":channel", str(move.channel)))',
        tests=(_MOVES,),
    ),
    Guard(
        name="status: the store asks for the number too",
        file="shared/storage/dynamodb/log.py",
        before='found.append((_SENT_BY, ":sender", move.sender))',
        after='found.append((":sender = :sender", ":sender", move.sender))',
        tests=(_MOVES,),
    ),
    Guard(
        name="status: a card's frees only its own message",
        file="shared/messages/status_effects.py",
        before="if row is not None and move.is_about(row):",
        after="if row is not None:",
        tests=(_WHOSE_STATUS,),
    ),
    # ------------------------------------------------------------------------------------------------------------ text
    Guard(
        name="segments: an escape pair never straddles two",
        file="shared/texts/segments.py",
        before="if used + width > capacity:",
        after="if used >= capacity:",
        tests=("tests/unit/texts/test_segments.py",),
    ),
    # ------------------------------------------------------------------------------------------------- what comes in
    Guard(
        name="DHIS2: a deleted or inactive person gets nothing",
        file="shared/recipients/dhis2.py",
        before="if record.get(flag) is True:",
        after="if False:",
        tests=("tests/unit/recipients/test_dhis2.py",),
    ),
    Guard(
        name="DHIS2: a deleted enrolment does not count",
        file="shared/recipients/dhis2.py",
        before='[one for one in ours if one.get("deleted") is not True]',
        after="ours",
        tests=("tests/unit/recipients/test_dhis2.py",),
    ),
    Guard(
        name="DHIS2: another programme's enrolment does not count",
        file="shared/recipients/dhis2.py",
        before='if program is None or one.get("program") in (None, program)]',
        after="]",
        tests=("tests/unit/recipients/test_dhis2.py",),
    ),
    Guard(
        name="references: no number is hidden between letters",
        file="shared/recipients/references.py",
        before="return not any(map(_may_be_number, _groupings(rest)))",
        after="return True",
        tests=("tests/unit/recipients/test_identities.py",),
    ),
    Guard(
        name="test send: a country that is not covered is refused before anything is logged",
        file="shared/sending/test_send.py",
        before="raise Refusal(ProblemCode.UNPROCESSABLE, (_of_request(field_error_of(reason)),))",
        after="return",
        tests=("tests/unit/sending/test_send_test.py",),
    ),
    Guard(
        name="texts: what may be meant as a variable is never sent as it stands",
        file="shared/texts/variables.py",
        before="_LIKE_A_NAME.fullmatch(name) or _HOLDS_A_NAME.search(name)",
        after="name in VARIABLES",
        tests=("tests/unit/texts/test_variables.py",),
    ),
)
