import tomllib

import pytest

from tests.template.reading import ROOT, Node, at, listed, mapping, text


@pytest.mark.parametrize("stage", ["dev", "staging", "prod"])
def test_each_environment_gives_the_parameters_that_have_no_default(template: Node, stage: str) -> None:
    config = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    given = dict(line.split("=", 1) for line in config[stage]["deploy"]["parameters"]["parameter_overrides"])
    parameters = mapping(template, "Parameters")
    assert {name for name in parameters if "Default" not in mapping(parameters, name)} <= set(given) <= set(parameters)
    assert given["Stage"] == stage


def test_prod_is_refused_without_a_topic_for_its_alarms(template: Node) -> None:
    rule = mapping(template, "Rules", "SomebodyHearsProd")
    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}
    [assertion] = listed(rule["Assertions"])
    assert at(assertion, "Assert") == {"Fn::Not": [{"Fn::Equals": [{"Ref": "AlarmTopicArn"}, ""]}]}
    assert "AlarmTopicArn" in text(assertion, "AssertDescription")
    config = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    given = dict(line.split("=", 1) for line in config["prod"]["deploy"]["parameters"]["parameter_overrides"])
    assert given["AlarmTopicArn"].startswith("arn:aws:sns:")


def test_artefacts_are_built_in_source() -> None:
    """A build in a copied folder would take the virtual environments along."""
    config = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    assert config["default"]["build"]["parameters"]["build_in_source"] is True
