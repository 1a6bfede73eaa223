import re
import subprocess

import pytest

from tests.template.reading import FUNCTION_FOLDERS, ROOT, Node, at, mapping, of_type, properties, text

COMMON = {"LOG_TABLE", "STATE_TABLE", "SECRETS_PREFIX"}
PEOPLE = {"PAYLOAD_BUCKET", "NUMBER_KEY_SECRET_ID"}
"""For the functions that store contents and recognise people by their numbers. The senders do neither."""
LOCAL = {"AWS_ENDPOINT_URL", "CLOCK_STARTS_AT"}
"""Empty, except with `sam local`, which sets only variables that the template names."""
POWERTOOLS = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_LOG_LEVEL"}
CARDS = {"CARD_HOSTS", "CARD_BUCKETS"}
QUEUE_URLS = {"WHATSAPP_QUEUE_URL", "SMS_QUEUE_URL", "FANOUT_QUEUE_URL"}
SCHEDULES = {"SCHEDULE_GROUP", "SCHEDULE_TARGET_ARN", "SCHEDULE_ROLE_ARN"}
RETENTION = "MESSAGE_RETENTION_DAYS"
"""For the functions that log messages. A sender only moves them."""
OWN_VARIABLES = {
    "ApiFunction": {
        *PEOPLE,
        "META_GRAPH_URL",
        "ORANGE_API_URL",
        "PUBLIC_BASE_URL",
        "SECRETS_KEY",
        RETENTION,
        *QUEUE_URLS,
        *CARDS,
        *SCHEDULES,
    },
    "BulkFanoutFunction": {
        *PEOPLE,
        "META_GRAPH_URL",
        "ORANGE_API_URL",
        "DEAD_LETTER_QUEUE_ARNS",
        RETENTION,
        *QUEUE_URLS,
        *CARDS,
        *SCHEDULES,
    },
    "SendWhatsAppFunction": {"WHATSAPP_QUEUE_URL", "FANOUT_QUEUE_URL", "META_GRAPH_URL", *CARDS},
    "SendSmsFunction": {"SMS_QUEUE_URL", "ORANGE_API_URL"},
    "WebhookFunction": {"STATUS_QUEUE_URL", "WHATSAPP_QUEUE_URL", "FANOUT_QUEUE_URL", *PEOPLE, RETENTION},
}
FUNCTIONS = tuple(FUNCTION_FOLDERS)


def test_these_are_the_functions(template: Node) -> None:
    assert set(of_type(template, "AWS::Serverless::Function")) == set(FUNCTIONS)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_environment_variables(template: Node, function: str) -> None:
    shared = mapping(template, "Globals", "Function", "Environment", "Variables")
    own = mapping(properties(template, function), "Environment", "Variables")
    assert set(shared) | set(own) == COMMON | LOCAL | POWERTOOLS | OWN_VARIABLES[function]
    assert {shared[name] for name in LOCAL} == {""}
    assert own["POWERTOOLS_SERVICE_NAME"] == FUNCTION_FOLDERS[function]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_handler_exists(template: Node, function: str) -> None:
    handler = text(properties(template, function), "Handler")
    assert handler == f"functions.{FUNCTION_FOLDERS[function]}.app.handler"
    assert (ROOT / "functions" / FUNCTION_FOLDERS[function] / "app.py").is_file()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_logs_go_to_a_log_group_of_its_own(template: Node, function: str) -> None:
    """The template sets nothing else. With `LogFormat: JSON` Lambda would let libraries log from INFO up, and httpx2
    logs each URL, among them a card's with its code."""
    logging = mapping(properties(template, function), "LoggingConfig")
    assert logging == {"LogGroup": {"Ref": function.replace("Function", "Logs")}}


def test_every_log_group_has_retention_and_functions_may_write_to_it(template: Node) -> None:
    for name, its in of_type(template, "AWS::Logs::LogGroup").items():
        assert its["RetentionInDays"] == {"Ref": "LogRetentionDays"}, name
        group = text(its, "LogGroupName", "Fn::Sub")
        assert group.startswith("/aws/vendedlogs/" if name == "AccessLogs" else "/${AWS::StackName}/"), name


def test_runtime_and_tracing(template: Node) -> None:
    shared = mapping(template, "Globals", "Function")
    assert shared["Runtime"] == f"python{(ROOT / '.python-version').read_text(encoding='utf-8').strip()}"
    assert shared["Architectures"] == [{"Ref": "Architecture"}]
    assert at(template, "Parameters", "Architecture", "Default") == "arm64"
    assert shared["Tracing"] == "Active"


@pytest.mark.parametrize("architecture", ["arm64", "x86_64"])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_makefile_builds_it_from_its_own_folder(template: Node, function: str, architecture: str) -> None:
    assert at(template, "Resources", function, "Metadata") == {"BuildMethod": "makefile"}
    assert at(template, "Globals", "Function", "CodeUri") == "."
    recipe = _recipe(f"build-{function}", f"ARCHITECTURE={architecture}")
    assert set(re.findall(r"functions/(\w+)(?:/requirements\.txt| )", recipe)) == {FUNCTION_FOLDERS[function]}
    assert {"arm64": "aarch64-manylinux", "x86_64": "x86_64-manylinux"}[architecture] in recipe


def _recipe(*arguments: str) -> str:
    """The commands that make would run."""
    command = ["make", "--dry-run", "--always-make", "--directory", str(ROOT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout
