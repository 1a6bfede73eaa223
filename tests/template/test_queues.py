import pytest

from tests.template.reading import (
    QUEUES,
    Node,
    at,
    concurrency,
    events,
    listed,
    mapping,
    number,
    of_type,
    properties,
    text,
)

CONSUMED = (*QUEUES, "WhatsAppDeadLetters", "SmsDeadLetters")
"""The dead letters of the two other queues wait for an operator."""
SENDERS = ("SendWhatsAppFunction", "SendSmsFunction")


def test_four_queues_each_with_a_dead_letter_queue_of_its_own(template: Node) -> None:
    queues = of_type(template, "AWS::SQS::Queue")
    dead_letters = [at(queues[name], "RedrivePolicy", "deadLetterTargetArn", "Fn::GetAtt") for name in QUEUES]
    assert sorted(str(name) for name in dead_letters) == sorted(f"{name}.Arn" for name in queues if name not in QUEUES)
    assert len(set(map(str, dead_letters))) == len(QUEUES)


def _retentions(template: Node, queue: str) -> list[int]:
    """The values that a deployment may choose, in seconds."""
    parameter = text(properties(template, queue), "MessageRetentionPeriod", "Ref")
    chosen = mapping(template, "Parameters", parameter)
    allowed = [one for one in listed(chosen["AllowedValues"]) if isinstance(one, int)]
    assert chosen["Default"] == max(allowed), "what the documents speak of"
    return allowed


@pytest.mark.parametrize("queue", QUEUES)
def test_a_throttled_message_is_neither_dead_lettered_nor_dropped_by_sqs(template: Node, queue: str) -> None:
    its = properties(template, queue)
    receives = number(its, "RedrivePolicy", "maxReceiveCount")
    assert receives >= 10
    assert receives * number(its, "VisibilityTimeout") < min(_retentions(template, queue))


@pytest.mark.parametrize("queue", QUEUES)
def test_dead_letters_outlive_the_queue_they_come_from(template: Node, queue: str) -> None:
    its = properties(template, queue)
    dead_letters = str(at(its, "RedrivePolicy", "deadLetterTargetArn", "Fn::GetAtt")).removesuffix(".Arn")
    assert min(_retentions(template, dead_letters)) > max(_retentions(template, queue))


def test_every_queue_is_encrypted_and_standard(template: Node) -> None:
    for name, its in of_type(template, "AWS::SQS::Queue").items():
        assert its["KmsMasterKeyId"] == {"Ref": "DataKey"}, name
        assert "FifoQueue" not in its, name


def test_every_queue_has_one_consumer_which_reports_its_failures(template: Node) -> None:
    consumed: list[Node] = []
    for function, event in events(template, "SQS"):
        assert event["FunctionResponseTypes"] == ["ReportBatchItemFailures"], function
        consumed.append(at(event, "Queue", "Fn::GetAtt"))
    assert sorted(map(str, consumed)) == sorted(f"{queue}.Arn" for queue in CONSUMED)


def test_the_fan_out_takes_dead_letters_and_they_have_no_dead_letter_queue(template: Node) -> None:
    consumers = {str(at(event, "Queue", "Fn::GetAtt")): function for function, event in events(template, "SQS")}
    named = at(properties(template, "BulkFanoutFunction"), "Environment", "Variables", "DEAD_LETTER_QUEUE_ARNS")
    arns = [{"Fn::GetAtt": f"{queue}.Arn"} for queue in CONSUMED if queue not in QUEUES]
    assert named == {"Fn::Join": [",", arns]}
    for name in of_type(template, "AWS::SQS::Queue"):
        if name not in QUEUES:
            assert "RedrivePolicy" not in properties(template, name), name
            assert consumers.get(f"{name}.Arn", "BulkFanoutFunction") == "BulkFanoutFunction", name


def test_visibility_is_six_times_the_consumers_time_out(template: Node) -> None:
    for function, event in events(template, "SQS"):
        queue = str(at(event, "Queue", "Fn::GetAtt")).removesuffix(".Arn")
        timeout = number(properties(template, function), "Timeout")
        assert number(properties(template, queue), "VisibilityTimeout") >= 6 * timeout, queue


def test_concurrency_is_limited_at_the_queue_and_never_reserved(template: Node) -> None:
    for function, event in events(template, "SQS"):
        assert concurrency(template, event) >= 2, function
    assert "ReservedConcurrentExecutions" not in mapping(template, "Globals", "Function")
    for function, its in of_type(template, "AWS::Serverless::Function").items():
        assert "ReservedConcurrentExecutions" not in its, function


@pytest.mark.parametrize(
    ("queue", "parameter"), [("WhatsAppQueue", "WhatsAppConcurrency"), ("SmsQueue", "SmsConcurrency")]
)
def test_the_deployment_chooses_how_many_batches_are_sent_at_once(template: Node, queue: str, parameter: str) -> None:
    """An event source mapping takes 2 to 1,000."""
    [event] = [its for _, its in events(template, "SQS") if at(its, "Queue") == {"Fn::GetAtt": f"{queue}.Arn"}]
    assert at(event, "ScalingConfig", "MaximumConcurrency") == {"Ref": parameter}
    chosen = mapping(template, "Parameters", parameter)
    assert (chosen["Type"], chosen["MinValue"], chosen["MaxValue"]) == ("Number", 2, 1000)
