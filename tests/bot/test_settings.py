"""The settings: all of the contract, nothing unasked, and every problem by name."""

import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.settings import Settings, SettingsError, load_settings

ROOT = Path(__file__).parents[2]

GOOD = {
    "WECOM_CORP_ID": "ww1234567890abcdef",
    "WECOM_AGENT_ID": "1000002",
    "WECOM_SECRET": "kept-from-everybody",
    "WECOM_CALLBACK_TOKEN": "tokentoken",
    "WECOM_CALLBACK_AES_KEY": "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C",
    "STEWARD_PUBLIC_URL": "https://bot.example.com/",
    "STEWARD_SECRET_KEY": "0123456789abcdef",
}


def problems(env: dict[str, str], env_file: Path | None = None) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load_settings(env, env_file)
    return caught.value.problems


def only_problem(**changes: str) -> str:
    (problem,) = problems(GOOD | changes)
    return problem


def test_the_required_seven_are_enough() -> None:
    """With the required settings given, all others have the defaults of the contract."""
    settings = load_settings(GOOD, None)
    assert settings.wecom_agent_id == 1000002
    assert settings.wecom_secret.get_secret_value() == "kept-from-everybody"
    assert settings.steward_public_url == settings.campaign_url == "https://bot.example.com"
    assert settings.wecom_api_base == "https://qyapi.weixin.qq.com"
    assert settings.wecom_oauth_base == "https://open.weixin.qq.com"
    assert settings.wecom_callback_max_age == 300
    assert settings.database_url.get_secret_value() == "sqlite:///steward.db"
    assert settings.redis_url is None
    assert settings.steward_config == Path("config.yaml")
    assert (settings.steward_host, settings.steward_port) == ("127.0.0.1", 8000)
    assert settings.wecom_domain_verify == frozenset()


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    """`.env` is read, byte order mark, quotes and `$` included; a real variable wins over it, an empty one does not."""
    file = tmp_path / ".env"
    lines = "".join(f"{name}={value}\n" for name, value in GOOD.items() if name != "WECOM_SECRET")
    file.write_text(f"\ufeff{lines}WECOM_SECRET='a$HOME b'\nSTEWARD_PORT=1\nSTEWARD_HOST=0.0.0.0\n", encoding="utf-8")
    settings = load_settings({"STEWARD_PORT": "2", "STEWARD_HOST": ""}, file)
    assert settings.wecom_corp_id == GOOD["WECOM_CORP_ID"]
    assert settings.wecom_secret.get_secret_value() == "a$HOME b"
    assert (settings.steward_port, settings.steward_host) == (2, "0.0.0.0")  # noqa: S104 - nothing listens here


def test_all_that_is_missing_is_said_at_once(tmp_path: Path) -> None:
    """An empty environment and no file: all seven are named, each with where to find it."""
    said = problems({}, tmp_path / "nothing.env")
    assert [line.split("：")[0] for line in said] == list(GOOD)
    assert all("没有填写。" in line for line in said)


def test_a_misspelt_name_is_recognised() -> None:
    """A required setting that is missing while its near namesake is given: the typo is pointed out."""
    env = {name: value for name, value in GOOD.items() if name != "STEWARD_SECRET_KEY"}
    (said,) = problems(env | {"STEWARD_SECRETKEY": "0123456789abcdef"})
    assert "STEWARD_SECRET_KEY：没有填写" in said
    assert "看到了 STEWARD_SECRETKEY，是不是写错了名字" in said


PLACEHOLDERS = [
    "changeme",
    "CHANGE_ME",
    "change-this",
    "replace-me",
    "your-secret",
    "your_secret_here",
    "xxx",
    "xxxxxxxx",
    "wwxxxxxxxxxxxx",
    "<Secret>",
    "<…>",
    "***",
    "...",
    "TODO",
    "placeholder",
    "请填写",
    "填写您的密钥",
    "你的Secret",
]


@pytest.mark.parametrize("value", PLACEHOLDERS)
@pytest.mark.parametrize("name", ["WECOM_CORP_ID", "WECOM_AGENT_ID", "WECOM_SECRET", "STEWARD_PUBLIC_URL", "MP_SECRET"])
def test_placeholders_are_refused_by_name(name: str, value: str) -> None:
    """What was copied from a guide is not taken for a secret, also not where the setting is optional."""
    said = only_problem(**{name: value})
    assert said.startswith(f"{name}：还是样例里的占位内容")


def test_the_example_file_is_refused_as_it_stands(tmp_path: Path) -> None:
    """Copying `.env.example` and filling nothing in is seen, for all seven."""
    assert [line.split("：")[0] for line in problems({}, ROOT / ".env.example")] == list(GOOD)


def test_the_example_file_names_every_setting() -> None:
    """`.env.example` has every setting of the contract, with its default, and no other."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    named = dict(re.findall(r"^#?([A-Z_]+)=(.*)$", text, re.MULTILINE))
    assert set(named) == {name.upper() for name in Settings.model_fields}
    for name in ("wecom_api_base", "wecom_oauth_base", "wecom_callback_max_age", "steward_port", "wxpay_api_base"):
        assert named[name.upper()] == str(Settings.model_fields[name].default)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("WECOM_CALLBACK_AES_KEY", "short", "43 位"),
        ("WECOM_CALLBACK_AES_KEY", "!" * 43, "43 位"),
        ("STEWARD_SECRET_KEY", "fifteen-letters", "太短"),
        ("STEWARD_PUBLIC_URL", "shop.example", "完整的网址"),
        ("STEWARD_PUBLIC_URL", "https://", "完整的网址"),
        ("STEWARD_CAMPAIGN_URL", "https://a.example?x=1", "完整的网址"),
        ("WECOM_API_BASE", "https://qyapi.weixin.qq.com/cgi-bin", "不带路径"),
        ("DATABASE_URL", "mysql://x", "sqlite://"),
        ("REDIS_URL", "http://x", "redis://"),
        ("WECOM_AGENT_ID", "one", "整数"),
        ("WECOM_CALLBACK_MAX_AGE", "-1", "不能小于 0"),
        ("STEWARD_PORT", "70000", "不能大于 65535"),
        ("WECOM_DOMAIN_VERIFY", "../x", "WW_verify_"),
    ],
)
def test_what_is_wrong_is_named_and_never_shown(name: str, value: str, words: str) -> None:
    """A value that cannot be right is refused in Chinese, with the setting's name and without the value."""
    said = only_problem(**{name: value})
    assert said.startswith(f"{name}：")
    assert words in said
    assert value not in said.removeprefix(name) or value == "https://"


def test_all_kinds_of_problems_come_together() -> None:
    """Missing, placeholder and wrong settings are reported in one go; the text is fit to be printed."""
    env = GOOD | {"WECOM_SECRET": "changeme", "STEWARD_PORT": "x"}
    del env["WECOM_CORP_ID"]
    with pytest.raises(SettingsError) as caught:
        load_settings(env, None)
    assert [line.split("：")[0] for line in caught.value.problems] == ["WECOM_CORP_ID", "WECOM_SECRET", "STEWARD_PORT"]
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__  # pydantic's own error would show more than names
    assert "\n".join(caught.value.problems) in str(caught.value)


def test_a_file_that_is_no_text_is_explained(tmp_path: Path) -> None:
    """A `.env` in another encoding is refused with what to do."""
    file = tmp_path / ".env"
    file.write_bytes("WECOM_SECRET=密".encode("gbk"))
    (said,) = problems({}, file)
    assert "UTF-8" in said


def test_domain_codes_are_read_from_any_spelling() -> None:
    """Codes may be separated by commas or spaces, and pasted as whole file names."""
    settings = load_settings(GOOD | {"WECOM_DOMAIN_VERIFY": "abc, WW_verify_Def9.txt，ghi"}, None)
    assert settings.wecom_domain_verify == {"abc", "Def9", "ghi"}


def test_explicit_settings_read_neither_environment_nor_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings for demo and tests are what is given and the defaults, however poisoned the surroundings are."""
    for name in Settings.model_fields:
        monkeypatch.setenv(name.upper(), "poison")
    (tmp_path / ".env").write_text("".join(f"{name.upper()}=poison\n" for name in Settings.model_fields))
    monkeypatch.chdir(tmp_path)
    settings = Settings.explicit(**{name.lower(): value for name, value in GOOD.items()})
    assert "poison" not in repr([getattr(settings, name) for name in Settings.model_fields])
    assert "poison" not in settings.secret_values()
    assert settings.steward_port == 8000
    with pytest.raises(SettingsError, match="WECOM_CORP_ID"):
        Settings.explicit()
    with pytest.raises(SettingsError, match="STEWARD_PROT：没有这个设置"):
        Settings.explicit(**{name.lower(): value for name, value in GOOD.items()}, steward_prot=1)


def test_no_secret_is_shown_by_printing_settings() -> None:
    """Neither repr nor str nor a JSON dump of the settings has a secret in it."""
    env = GOOD | {
        "DATABASE_URL": "postgresql://u:pa%40ss@h/d",
        "REDIS_URL": "redis://:redispass@h",
        "MP_SECRET": "mpmpmp",
    }
    settings = load_settings(env, None)
    shown = repr(settings) + str(settings) + settings.model_dump_json()
    secrets = settings.secret_values()
    assert {"kept-from-everybody", GOOD["WECOM_CALLBACK_AES_KEY"], "pa%40ss", "pa@ss", "redispass", "mpmpmp"} <= set(
        secrets
    )
    assert not [secret for secret in secrets if secret in shown]
    assert isinstance(settings.mp_secret, SecretStr)
