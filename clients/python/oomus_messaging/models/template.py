from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.channel import Channel
from ..models.template_origin import TemplateOrigin
from ..models.template_status import TemplateStatus
from ..models.use_case import UseCase

T = TypeVar("T", bound="Template")


@_attrs_define
class Template:
    """
    Attributes:
        name (str):
        language (str):
        channel (Channel): How a message reaches the person.
        origin (TemplateOrigin): `ready`: one of ours; `own`: the organisation's own at Meta.
        status (TemplateStatus): Meta's review of a template.
        body (str):
        variables (list[str]):
        use_case (None | UseCase):
    """

    name: str
    language: str
    channel: Channel
    origin: TemplateOrigin
    status: TemplateStatus
    body: str
    variables: list[str]
    use_case: None | UseCase

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        language = self.language

        channel = self.channel.value

        origin = self.origin.value

        status = self.status.value

        body = self.body

        variables = self.variables

        use_case: None | str
        if isinstance(self.use_case, UseCase):
            use_case = self.use_case.value
        else:
            use_case = self.use_case

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "name": name,
                "language": language,
                "channel": channel,
                "origin": origin,
                "status": status,
                "body": body,
                "variables": variables,
                "use_case": use_case,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        name = d.pop("name")

        language = d.pop("language")

        channel = Channel(d.pop("channel"))

        origin = TemplateOrigin(d.pop("origin"))

        status = TemplateStatus(d.pop("status"))

        body = d.pop("body")

        variables = cast(list[str], d.pop("variables"))

        def _parse_use_case(data: object) -> None | UseCase:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                use_case_type_0 = UseCase(data)

                return use_case_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | UseCase, data)

        use_case = _parse_use_case(d.pop("use_case"))

        template = cls(
            name=name,
            language=language,
            channel=channel,
            origin=origin,
            status=status,
            body=body,
            variables=variables,
            use_case=use_case,
        )

        return template
