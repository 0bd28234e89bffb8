"""A configuration that needs a setting of the installation is not put in force without it."""

from pathlib import Path

import pytest

from bot.config.check import look_at
from bot.config.needs import given, parse_book
from bot.config.read import ConfigError, Written
from bot.settings import Settings

CONFIG = """\
managers: [李华]
rules: [{rule: other_company}]
removal:
  webhook: {url: "https://robot.example/remove"}
"""
NAME = "STEWARD_WEBHOOK_SECRET"


def test_the_webhook_needs_its_secret() -> None:
    """Without the secret it is refused at the line that asks for it, naming the setting; with it, it is a Book."""
    with pytest.raises(ConfigError) as refused:
        parse_book(Written(CONFIG), "config.yaml", ())
    [problem] = refused.value.problems
    assert (problem.where, problem.path) == ("config.yaml:4:3", "removal.webhook")
    assert NAME in problem.reason
    assert parse_book(Written(CONFIG), "config.yaml", {NAME}).removal.webhook


def test_check_refuses_it_and_warns_of_it(tmp_path: Path) -> None:
    """`check` says both: what is missing, and that accounts that robots operate get banned."""
    file = tmp_path / "config.yaml"
    file.write_text(CONFIG, encoding="utf-8")
    without, having = look_at(file), look_at(file, there=[NAME])
    assert [problem.kind for problem in without.problems] == ["error", "warning"]
    assert (without.book, without.exit_code) == (None, 1)
    [warning] = having.problems
    assert warning.kind == "warning"
    assert "封" in warning.reason
    assert having.book


def test_paying_by_wechat_needs_a_merchant_account() -> None:
    """A draw that pays by WeChat Pay is refused at its pay_by, naming all that is missing of the account."""
    config = """\
managers: [李华]
groups: {members: "会员*"}
budget: {monthly: 5000元}
draws:
  - name: friday
    to: members
    when: 每周五 20:00
    prize: {type: 固定, amount: 5元, shares: 10}
    pay_by: wechat
    organiser: 静安茶铺有限公司
    contact: 021-12345678
"""
    names = ["WXPAY_MCH_ID", "WXPAY_API_KEY", "WXPAY_CERT", "WXPAY_KEY", "MP_APP_ID", "MP_SECRET"]
    with pytest.raises(ConfigError) as refused:
        parse_book(Written(config), "config.yaml", names[:1])
    [problem] = refused.value.problems
    assert (problem.where, problem.path) == ("config.yaml:9:5", "draws[0].pay_by")
    assert [name in problem.reason for name in names] == [False, *[True] * 5]
    assert parse_book(Written(config), "config.yaml", names).draws[0].pay_by == "wechat"


@pytest.mark.parametrize("url", ["http://robot.example/x", "robot.example", "https://", "https://user@robot.example/"])
def test_only_https_will_do(url: str) -> None:
    """Names of people are sent there: anything but https is refused, in words."""
    with pytest.raises(ConfigError) as refused:
        parse_book(Written(CONFIG.replace("https://robot.example/remove", url)), "config.yaml", {NAME})
    assert "https://" in refused.value.problems[0].reason


def test_what_is_given_is_named_as_in_the_environment() -> None:
    """Settings that are there are known by their names."""
    settings = Settings.explicit(
        wecom_corp_id="ww1",
        wecom_agent_id=1,
        wecom_secret="s",
        wecom_callback_token="t",
        wecom_callback_aes_key="a" * 43,
        steward_public_url="https://bot.example",
        steward_secret_key="0123456789abcdef",
    )
    assert NAME not in given(settings)
    assert NAME in given(settings.model_copy(update={"steward_webhook_secret": settings.wecom_secret}))
