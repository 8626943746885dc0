import pytest

from app.settings import DEMO_SECRET, BadSetting, load

GOOD = {
    "GRAPEVINE_ENV": "production",
    "GRAPEVINE_SECRET_KEY": "x" * 40,
    "GRAPEVINE_BASE_URL": "https://community.example",
    "GRAPEVINE_DATABASE_URL": "postgresql://db/grapevine",
}


def test_good_settings_are_read():
    settings = load({**GOOD, "GRAPEVINE_BASE_URL": "https://community.example/"})
    assert settings.is_production and settings.host == "community.example"
    assert settings.base_url == "https://community.example"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GRAPEVINE_ENV", "prod"),
        ("GRAPEVINE_SECRET_KEY", ""),
        ("GRAPEVINE_SECRET_KEY", DEMO_SECRET),
        ("GRAPEVINE_SECRET_KEY", "short"),
        ("GRAPEVINE_BASE_URL", "http://community.example"),
        ("GRAPEVINE_BASE_URL", "community.example"),
        ("GRAPEVINE_DATABASE_URL", "mysql://db"),
        ("GRAPEVINE_REDIS_URL", "localhost:6379"),
        ("GRAPEVINE_STORAGE_URL", "ftp://files"),
        ("GRAPEVINE_METRICS_PORT", "many"),
        ("GRAPEVINE_INBOX_DAYS", "0"),
    ],
)
def test_a_bad_value_refuses_to_start_and_names_the_setting(name: str, value: str):
    with pytest.raises(BadSetting, match=name):
        load({**GOOD, name: value})


def test_a_secret_may_come_from_a_file_and_a_missing_file_is_told(tmp_path):
    file = tmp_path / "secret"
    file.write_text("y" * 40 + "\n")
    environment = {key: value for key, value in GOOD.items() if key != "GRAPEVINE_SECRET_KEY"}
    assert load({**environment, "GRAPEVINE_SECRET_KEY_FILE": str(file)}).secret_key == "y" * 40
    with pytest.raises(BadSetting, match="GRAPEVINE_SECRET_KEY_FILE"):
        load({**environment, "GRAPEVINE_SECRET_KEY_FILE": str(tmp_path / "none")})
