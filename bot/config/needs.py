"""What a configuration needs beside itself: settings of the installation (secrets never stand in `config.yaml`)."""

from collections.abc import Callable, Collection, Iterator, Mapping

from bot.config.files import with_files
from bot.config.problems import Problem, written
from bot.config.read import ConfigError, Written, parse_with_places
from bot.config.yaml_tree import Node, Path, key_place
from bot.settings import Settings
from rules.book import Book


def _webhook(book: Book) -> bool:
    return book.removal.webhook is not None


_NEEDS: Mapping[Path, tuple[Callable[[Book], bool], str, str]] = {
    ("removal", "webhook"): (_webhook, "STEWARD_WEBHOOK_SECRET", "通知公司的程序时用它签名"),
}
"""Which part of the configuration needs which setting, and what for."""

_WXPAY = {
    "WXPAY_MCH_ID": "微信支付商户号",
    "WXPAY_API_KEY": "商户平台里设置的 API 密钥（v2）",
    "WXPAY_CERT": "商户平台下载的 apiclient_cert.pem 在哪里",
    "WXPAY_KEY": "同时下载的 apiclient_key.pem 在哪里",
    "MP_APP_ID": "和商户号绑定的公众号的 AppID",
    "MP_SECRET": "这个公众号的 AppSecret",
}
"""What paying winners by WeChat Pay takes (docs/payouts.md)."""


def given(settings: Settings) -> frozenset[str]:
    """The names (as in the environment) of the optional settings that are there."""
    return frozenset(name.upper() for name in type(settings).model_fields if getattr(settings, name) is not None)


def unmet(book: Book, root: Node, file: str, there: Collection[str]) -> list[Problem]:
    """What is missing, at the line that asks for it. `there`: the names of the settings that are given."""
    return list(_unmet(book, root, file, there))


def _unmet(book: Book, root: Node, file: str, there: Collection[str]) -> Iterator[Problem]:
    for path, (asks_for, name, why) in _NEEDS.items():
        if asks_for(book) and name not in there:
            reason = f"要先在 .env 里写好 {name}（{why}；可以用命令 openssl rand -hex 32 生成一个）"
            yield Problem(file, *key_place(root, path), written(path), "", reason)
    for place, draw in enumerate(book.draws):
        missing = [f"{name}（{what}）" for name, what in _WXPAY.items() if name not in there]
        if draw.pay_by == "wechat" and missing:
            here: Path = ("draws", place, "pay_by")
            reason = f"用微信支付发奖，要先在 .env 里写好 {'、'.join(missing)}"
            yield Problem(file, *key_place(root, here), written(here), "", reason)


def parse_book(config: Written, file: str, there: Collection[str]) -> Book:
    """The config as a Book that can be put in force with these settings, its rules' words given. Raises ConfigError."""
    book, root = parse_with_places(config.text, file, Book)
    book, problems = with_files(book, root, file, config.files)
    problems += unmet(book, root, file, there)
    if problems:
        raise ConfigError(problems)
    return book
