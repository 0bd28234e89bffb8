"""The settings of one installation: from environment or `.env` for `serve`, from plain values elsewhere.

`Settings(...)` itself reads nothing but its arguments; only `load_settings` looks outside, and only where it is told.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

from dotenv import dotenv_values
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, TypeAdapter, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

_PLACEHOLDER = re.compile(
    r"\W*(change|replace)[-_ ]?(me|this|it)\W*|your[-_ ].*|x{3,}|.*x{6,}.*|<.*>|\*+|\.{3,}|…+|todo|tbd|placeholder"
    r"|(请?填写|请替换|你的|您的).*",
    re.IGNORECASE | re.DOTALL,
)


def _web_address(url: str) -> str:
    """Scheme, host, perhaps a path; no slash at the end, so that paths can be put behind it."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValueError("要写成完整的网址，要有 http:// 或 https://，不带账号、? 和 #")
    return url.rstrip("/")


def _web_host(url: str) -> str:
    url = _web_address(url)
    if urlsplit(url).path:
        raise ValueError("只写协议和主机，不带路径，例如 https://qyapi.weixin.qq.com")
    return url


def _address_of(*schemes: str) -> AfterValidator:
    def check(url: SecretStr) -> SecretStr:
        if urlsplit(url.get_secret_value()).scheme not in schemes:
            raise ValueError(f"开头应当是 {'、'.join(f'{scheme}://' for scheme in schemes)} 之一")
        return url

    return AfterValidator(check)


def _aes_key(key: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[A-Za-z0-9+/]{43}", key.get_secret_value()):
        raise ValueError("应当正好是 43 位字母和数字，请原样复制")
    return key


def _strong(key: SecretStr) -> SecretStr:
    if len(key.get_secret_value()) < 16:
        raise ValueError("太短，至少要 16 个字符")
    return key


def _domain_codes(value: Any) -> Any:
    """`abc, WW_verify_def.txt` → the bare codes."""
    if not isinstance(value, str):
        return value
    codes = [re.sub(r"^WW_verify_|\.txt$", "", code) for code in re.split(r"[\s,，、]+", value) if code]
    if any(not re.fullmatch(r"[A-Za-z0-9]{1,64}", code) for code in codes):
        raise ValueError("只写校验文件名 WW_verify_ 和 .txt 之间的那一段，多个用英文逗号隔开")
    return frozenset(codes)


DatabaseUrl = Annotated[
    SecretStr, _address_of("sqlite", "postgresql", "postgres", "sqlite+aiosqlite", "postgresql+asyncpg")
]
WebAddress = Annotated[str, AfterValidator(_web_address)]
WebHost = Annotated[str, AfterValidator(_web_host)]


class Settings(BaseSettings):
    """One attribute per setting, named like its environment variable. Addresses have no slash at the end."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    wecom_corp_id: str
    wecom_agent_id: int
    wecom_secret: SecretStr
    wecom_callback_token: SecretStr
    wecom_callback_aes_key: Annotated[SecretStr, AfterValidator(_aes_key)]
    steward_public_url: WebAddress
    steward_secret_key: Annotated[SecretStr, AfterValidator(_strong)]

    wecom_api_base: WebHost = "https://qyapi.weixin.qq.com"
    wecom_oauth_base: WebHost = "https://open.weixin.qq.com"
    wecom_callback_max_age: Annotated[int, Field(ge=0)] = 300
    database_url: DatabaseUrl = SecretStr("sqlite:///steward.db")
    redis_url: Annotated[SecretStr, _address_of("redis", "rediss", "unix")] | None = None
    steward_config: Path = Path("config.yaml")
    steward_host: str = "127.0.0.1"
    steward_port: Annotated[int, Field(ge=0, le=65_535)] = 8000
    steward_campaign_url: WebAddress | None = None

    steward_admin_password: SecretStr | None = None
    steward_metrics_token: SecretStr | None = None
    steward_ingest_secret: Annotated[SecretStr, AfterValidator(_strong)] | None = None
    steward_webhook_secret: SecretStr | None = None
    wecom_domain_verify: Annotated[frozenset[str], BeforeValidator(_domain_codes)] = frozenset()
    mp_app_id: str | None = None
    mp_secret: SecretStr | None = None
    mp_api_base: WebHost = "https://api.weixin.qq.com"
    wxpay_mch_id: str | None = None
    wxpay_api_key: SecretStr | None = None
    wxpay_cert: Path | None = None
    wxpay_key: Path | None = None
    wxpay_api_base: WebHost = "https://api.mch.weixin.qq.com"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Nothing is read from outside: the demo and tests must not pick up a real shop's secrets."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)

    @classmethod
    def explicit(cls, **values: Any) -> "Settings":
        """From exactly these values and the defaults. Raises SettingsError like `load_settings`."""
        return _check(cls, values, seen=())

    @property
    def campaign_url(self) -> str:
        """Where draw and check-in pages live."""
        return self.steward_campaign_url or self.steward_public_url

    def secret_values(self) -> list[str]:
        """What must appear in no log: every secret, and the passwords inside the database's and Redis' addresses."""
        secrets = []
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, SecretStr):
                text = value.get_secret_value()
                password = urlsplit(text).password if name in {"database_url", "redis_url"} else text
                secrets += [password, unquote(password)] if password else []
        return secrets


class SettingsError(Exception):
    """Settings that cannot be used. `problems`: a Chinese sentence each, names but never values."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(["设置有问题，请修改 .env 或环境变量（样例见 .env.example）：", *problems]))


def load_settings(env: Mapping[str, str], env_file: Path | None) -> Settings:
    """From `env` (such as os.environ) and, below it, the file (`NAME=value` lines; may be absent; None = no file).

    Empty values count as not given. Raises SettingsError with everything that is wrong.
    """
    given = _given(env, env_file)
    values = {name: given[name.upper()].strip() for name in Settings.model_fields if name.upper() in given}
    return _check(Settings, values, seen=given)


def load_database_url(env: Mapping[str, str], env_file: Path | None) -> str:
    """Only the database's address, for commands that need no WeCom. Raises SettingsError like `load_settings`."""
    given = _given(env, env_file).get("DATABASE_URL")
    if given is None:
        default: SecretStr = Settings.model_fields["database_url"].default
        return default.get_secret_value()
    try:
        return TypeAdapter(DatabaseUrl).validate_python(given.strip()).get_secret_value()
    except ValidationError as error:
        reason = error.errors(include_url=False, include_input=False)[0]["ctx"]["error"]
        raise SettingsError([f"DATABASE_URL：{reason}"]) from None


def load_link_settings(env: Mapping[str, str], env_file: Path | None) -> tuple[str, SecretStr]:
    """Only what links to our pages are made of: the public address and the key. Raises SettingsError."""
    given = _given(env, env_file)
    problems = _missing_ones(("steward_public_url", "steward_secret_key"), given)
    if problems:
        raise SettingsError(problems)
    try:
        address = TypeAdapter(WebAddress).validate_python(given["STEWARD_PUBLIC_URL"].strip())
    except ValidationError as error:
        reason = error.errors(include_url=False, include_input=False)[0]["ctx"]["error"]
        raise SettingsError([f"STEWARD_PUBLIC_URL：{reason}"]) from None
    return address, SecretStr(given["STEWARD_SECRET_KEY"].strip())


def _missing_ones(names: Iterable[str], given: Mapping[str, str]) -> list[str]:
    return [_missing(name, given) for name in names if name.upper() not in given]


def _given(env: Mapping[str, str], env_file: Path | None) -> dict[str, str]:
    given = _read_file(env_file) if env_file else {}
    return given | {name: value for name, value in env.items() if value.strip()}


def _read_file(path: Path) -> dict[str, str]:
    try:
        lines = dotenv_values(path, interpolate=False, encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise SettingsError([f"读不了 {path}：请确认它是 UTF-8 编码的文本文件，并且有读取权限"]) from None
    return {name: value for name, value in lines.items() if value and value.strip()}


def _check(cls: type[Settings], values: Mapping[str, Any], seen: Iterable[str]) -> Settings:
    """`seen`: the names that were given, for "did you mean"."""
    missing = [name for name, field in cls.model_fields.items() if field.is_required() and name not in values]
    fake = [name for name, value in values.items() if name in cls.model_fields and _is_placeholder(value)]
    problems = [_missing(name, seen) for name in missing]
    problems += [f"{name.upper()}：还是样例里的占位内容，请换成真实的值{_where(name)}" for name in fake]
    try:
        settings = cls(**values)
    except ValidationError as error:
        problems += _wrong(error, skip={*missing, *fake})
    if problems:
        raise SettingsError(problems) from None
    return settings


def _is_placeholder(value: Any) -> bool:
    text = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
    return not text.strip() or bool(_PLACEHOLDER.fullmatch(text.strip()))


def _missing(name: str, seen: Iterable[str]) -> str:
    wanted = name.upper()
    typos = get_close_matches(wanted, {other.upper(): other for other in seen if other != wanted}, n=1, cutoff=0.85)
    hint = f"（看到了 {typos[0]}，是不是写错了名字？）" if typos else ""
    return f"{wanted}：没有填写{_where(name)}{hint}"


def _where(name: str) -> str:
    return f"。{_WHERE_TO_FIND[name]}" if name in _WHERE_TO_FIND else ""


def _wrong(error: ValidationError, skip: set[str]) -> Iterator[str]:
    for problem in error.errors(include_url=False, include_input=False):
        name = str(problem["loc"][0])
        if name in skip:
            continue
        context = problem.get("ctx", {})
        reason = (
            str(context["error"]) if problem["type"] == "value_error" else _REASONS.get(problem["type"], "写法不对")
        )
        yield f"{name.upper()}：{reason.format(**context)}{_where(name)}"


_REASONS = {
    "int_parsing": "应当是一个整数",
    "int_type": "应当是一个整数",
    "greater_than_equal": "不能小于 {ge}",
    "less_than_equal": "不能大于 {le}",
    "string_type": "应当是文字",
    "extra_forbidden": "没有这个设置",
}

_WHERE_TO_FIND = {
    "wecom_corp_id": "在企业微信管理后台「我的企业 → 企业信息」最下方（企业ID）",
    "wecom_agent_id": "在管理后台「应用管理 → 自建 → 您的应用」页面（AgentId）",
    "wecom_secret": "在管理后台「应用管理 → 自建 → 您的应用」页面（Secret）",
    "wecom_callback_token": "在该应用「接收消息 → 设置API接收」页面（Token）",
    "wecom_callback_aes_key": "在该应用「接收消息 → 设置API接收」页面（EncodingAESKey）",
    "steward_public_url": "写外网能打开本机器人的网址，例如 https://bot.example.com",
    "steward_secret_key": "可以用命令 openssl rand -hex 32 生成一个",
    "steward_ingest_secret": "和转发群消息的程序约定的密钥，可以用命令 openssl rand -hex 32 生成一个",
}
