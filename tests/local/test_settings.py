from datetime import UTC, datetime

import pytest

from local.settings import Settings, SettingsError


def test_settings_come_from_the_environment() -> None:
    settings = Settings.from_environment(
        {
            "PORT": "9000",
            "NOW": "2026-11-23T10:00:00Z",
            "META_GRAPH_URL": "http://127.0.0.1:9/",
            "CARD_HOSTS": "127.0.0.1, cards.example:81",
            "CARD_BUCKETS": "cards, other-cards,",
        }
    )
    assert settings.card_buckets == ("cards", "other-cards")
    assert (settings.port, settings.start) == (9000, datetime(2026, 11, 23, 10, tzinfo=UTC))
    assert (settings.meta_graph_url, settings.orange_api_url) == ("http://127.0.0.1:9", "")
    allowed = settings.allowed_card_hosts("127.0.0.1:5001")
    assert allowed == "http://127.0.0.1:5001,http://127.1:5001,http://127.0.0.1,http://cards.example:81"


def test_the_defaults() -> None:
    settings = Settings.from_environment({"PORT": "", "NOW": ""})
    assert (settings.port, settings.clock_route, settings.allowed_card_hosts(None)) == (8000, True, "")


def test_the_command_line_wins() -> None:
    assert Settings.from_environment({"PORT": "9000"}, port=9001).port == 9001


@pytest.mark.parametrize(
    "wrong", [{"PORT": "http"}, {"PORT": "70000"}, {"NOW": "noon"}, {"NOW": "2026-11-23T10:00:00"}]
)
def test_an_impossible_value_is_an_error(wrong: dict[str, str]) -> None:
    with pytest.raises(SettingsError):
        Settings.from_environment(wrong)


def test_with_containers_the_clock_starts_in_the_morning_by_default() -> None:
    def read(**environment: str) -> Settings:
        return Settings.from_environment({"DOCKER": "1", **environment}, bridge=lambda: ("172.17.0.1",))

    assert (read().containers, read().extra_hosts) == (True, ("172.17.0.1",))
    assert read().start == datetime(2026, 11, 23, 10, tzinfo=UTC)
    assert read(NOW="2026-12-01T08:00:00Z").start == datetime(2026, 12, 1, 8, tzinfo=UTC)
    with pytest.raises(SettingsError):
        read(PORT="65534")


def test_without_containers_the_stack_listens_on_this_machine_only() -> None:
    settings = Settings.from_environment({})
    assert (settings.containers, settings.extra_hosts) == (False, ())
