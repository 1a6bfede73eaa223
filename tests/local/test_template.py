from pathlib import Path

import pytest

from local.processes import PROJECT_ROOT
from local.template import HTTP_API_OUTPUT, handler_modules, module_of, parameters, translate, unconditional

TOY = Path(__file__).parent / "toy" / "template.yaml"


def test_the_product_and_the_toy_are_translated_and_kept(tmp_path: Path) -> None:
    for source in (TOY, PROJECT_ROOT / "template.yaml"):
        document = translate(source, tmp_path)
        resources = document["Resources"].values()
        types = {resource["Type"] for resource in resources}
        assert not any(name.startswith("AWS::Serverless::") for name in types)
        assert "AWS::Lambda::EventSourceMapping" in types
        assert HTTP_API_OUTPUT in document["Outputs"]
        assert translate(source, tmp_path) == document
    assert len(list(tmp_path.iterdir())) == 2


def test_handlers_are_found_in_both_spellings() -> None:
    assert module_of("functions.api.app.handler") == module_of("functions/api/app.handler") == "functions.api.app"
    document = {"Resources": {"F": {"Type": "AWS::Lambda::Function", "Properties": {"Handler": "a/b.handler"}}}}
    assert handler_modules(document) == ["a.b"]


DOCUMENT = {
    "Parameters": {"Given": {"Type": "String"}, "List": {"Type": "CommaDelimitedList", "Default": "a,b"}},
    "Resources": {"Always": {}, "Sometimes": {"Condition": "C"}},
}


def test_every_parameter_is_passed_with_its_default() -> None:
    passed = {entry["ParameterKey"]: entry["ParameterValue"] for entry in parameters(DOCUMENT, {"Given": "x"})}
    assert passed == {"Given": "x", "List": "a,b"}


@pytest.mark.parametrize(("chosen", "said"), [({}, "Given"), ({"Given": "x", "Odd": "y"}, "Odd")])
def test_parameters_that_do_not_fit_are_named(chosen: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parameters(DOCUMENT, chosen)


def test_conditional_resources_may_be_missing() -> None:
    assert list(unconditional(DOCUMENT)) == ["Always"]
