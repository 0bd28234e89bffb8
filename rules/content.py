"""What a post says: text with variables, pictures, links, mini-programs, files, videos.

Limits of the platform (page 92135): text ≤ 4,000 bytes, at most 9 attachments; titles and sizes as below.
"""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from rules.inducement import WHY, induces
from rules.rule import OneOrMore, Settings
from rules.template import TemplateError, Variable, compiled
from rules.value import Value

MOST_BYTES = 4_000
MOST_MESSAGE_BYTES = 2_048
"""Of a text message to staff (page 90236): what is longer is cut off there."""

MOST_ATTACHMENTS = 9
MEGABYTE = 1 << 20

Kind = Literal["image", "link", "miniprogram", "file", "video"]

SIZES: Mapping[str, tuple[tuple[str, ...], int]] = {
    "image": ((".jpg", ".jpeg", ".png"), 10 * MEGABYTE),
    "video": ((".mp4",), 10 * MEGABYTE),
    "file": ((), 20 * MEGABYTE),
}
"""Which endings, and how many bytes at most, a file may have for media/upload (page 90253)."""


class ContentError(Exception):
    """This cannot be sent as it is. The words are for people; `line` counts from 1 within the text, 0: none."""

    def __init__(self, reason: str, where: str = "", line: int = 0) -> None:
        self.reason, self.where, self.line = reason, where, line
        super().__init__(f"{where}：{reason}" if where else reason)


class Attachment(Value):
    """One attachment. `file`: of an image, video or file, and the picture of a mini-program; relative to the config.

    `picture_url`: of a link, an address on the web.
    """

    kind: Kind
    file: str = ""
    title: str = ""
    url: str = ""
    picture_url: str = ""
    description: str = ""
    appid: str = ""
    page: str = ""


class Content(Value):
    """What is sent, word for word. Equal contents can go out as one task."""

    text: str = ""
    attachments: tuple[Attachment, ...] = ()


# --- settings ---------------------------------------------------------------------------------------------------------


def _as_tuple(value: Any) -> Any:
    if isinstance(value, str | Mapping):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


def _file_of(kind: str) -> Any:
    endings, _ = SIZES[kind]

    def check(names: tuple[str, ...]) -> tuple[str, ...]:
        for place, name in enumerate(names):
            if reason := wrong_file_name(kind, name):
                raise PydanticCustomError("file", "{reason}", {"reason": reason, "at": (place,)})
        return names

    of_files = {
        "type": "string",
        "description": f"文件，写相对这份设置的路径{'：' + '、'.join(endings) if endings else ''}。",
    }
    return Annotated[
        tuple[str, ...],
        BeforeValidator(_as_tuple),
        AfterValidator(check),
        WithJsonSchema({"anyOf": [of_files, {"type": "array", "items": of_files}]}),
    ]


def wrong_file_name(kind: str, name: str) -> str:
    """Why a file of this name cannot be sent as an image, a video or a file; "" where it can."""
    path, (endings, _) = PurePosixPath(name), SIZES[kind]
    if path.is_absolute() or ".." in path.parts:
        return f"「{name}」不在设置文件的文件夹里：请放到它旁边，写相对路径，如 content/{path.name}"
    if endings and path.suffix.lower() not in endings:
        return f"「{name}」的格式不行：只能是 {'、'.join(ending[1:] for ending in endings)}"
    return ""


def _of_bytes(most: int) -> AfterValidator:
    def check(text: str) -> str:
        if len(text.encode()) > most:
            raise ValueError(f"太长：最多 {most} 字节（一个汉字 3 字节），现在 {len(text.encode())} 字节")
        return text

    return AfterValidator(check)


_Web = Annotated[str, Field(pattern=r"^https?://[^\s/]+\S*$", max_length=2048)]


class LinkCard(Settings):
    """一张网页卡片。"""

    url: _Web = Field(description="网址：要以 https:// 或 http:// 开头。")
    title: Annotated[str, Field(min_length=1), _of_bytes(128)] = Field(description="标题：最多 128 字节。")
    description: Annotated[str, _of_bytes(512)] = Field(default="", description="说明：最多 512 字节。")
    picture: str = Field(
        default="", pattern=r"^(https?://[^\s/]+\S*)?$", description="封面：一张图片的网址，要以 https:// 开头。"
    )


class MiniProgram(Settings):
    """一张小程序卡片。"""

    appid: str = Field(pattern=r"^wx[0-9a-zA-Z]{6,30}$", description="小程序的 appid：以 wx 开头，要先关联到企业微信。")
    page: str = Field(min_length=1, description="打开哪一页：小程序的路径，如 pages/index.html。")
    title: Annotated[str, Field(min_length=1), _of_bytes(64)] = Field(description="标题：最多 64 字节。")
    picture: str = Field(description="封面：图片文件，写相对这份设置的路径（建议 520×416）。")

    @model_validator(mode="after")
    def _is_a_picture(self) -> Self:
        if reason := wrong_file_name("image", self.picture):
            raise PydanticCustomError("file", "{reason}", {"reason": reason, "at": ("picture",)})
        return self


def _sayable(text: str) -> str:
    """`text`, where it is a template that can be rendered and promises nothing for passing it on."""
    try:
        least = compiled(text).least
    except TemplateError as error:
        raise ValueError(f"{error.place}{error}") from None
    if least > MOST_BYTES:
        raise ValueError(f"太长：最多 {MOST_BYTES:,} 字节（一个汉字 3 字节），超出 {least - MOST_BYTES:,} 字节")
    if said := induces(text):
        raise ValueError(f"「{said}」像是在诱导分享：不能因为转发、邀请给好处，{WHY}。请换个说法")
    return text


class Said(Settings):
    """说什么：文字、图片、网页、小程序、文件、视频。"""

    text: Annotated[str, AfterValidator(_sayable)] = Field(
        default="",
        description=f"文字：最多 {MOST_BYTES:,} 字节（一个汉字 3 字节）。"
        "可以写 {{群名}}、{{日期}}、{{星期}}、{{还有几天('双十二')}} 这样的变量，见 docs/posts.md。",
    )
    image: _file_of("image") = Field(default=(), description="图片：一张或几张，写相对这份设置的路径。")  # type: ignore[valid-type]  # made above
    link: Annotated[tuple[LinkCard, ...], OneOrMore()] = Field(default=(), description="网页卡片：一张或几张。")
    miniprogram: Annotated[tuple[MiniProgram, ...], OneOrMore()] = Field(
        default=(), description="小程序卡片：一张或几张。"
    )
    file: _file_of("file") = Field(default=(), description="文件：一个或几个，写相对这份设置的路径。")  # type: ignore[valid-type]  # made above
    video: _file_of("video") = Field(default=(), description="视频：mp4，最大 10 MB，写相对这份设置的路径。")  # type: ignore[valid-type]  # made above
    _where: str = PrivateAttr(default="")

    @model_validator(mode="after")
    def _few_attachments(self) -> Self:
        if len(self.attachments) > MOST_ATTACHMENTS:
            raise ValueError(f"附件太多：图片、卡片、文件、视频一共最多 {MOST_ATTACHMENTS} 个")
        return self

    def standing_at(self, where: str) -> Self:
        """The same, knowing where it is written (`config.yaml:12`, `content/早报.xlsx 第 3 行`): errors say so."""
        copy = self.model_copy()
        copy._where = where  # our own copy
        return copy

    @property
    def where(self) -> str:
        return self._where

    @property
    def says_something(self) -> bool:
        return bool(self.text.strip() or self.attachments)

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """In the order they are sent: images first, as they are most looked at."""
        links = (
            Attachment(
                kind="link", url=each.url, title=each.title, description=each.description, picture_url=each.picture
            )
            for each in self.link
        )
        programs = (
            Attachment(kind="miniprogram", appid=each.appid, page=each.page, title=each.title, file=each.picture)
            for each in self.miniprogram
        )
        return (
            *(Attachment(kind="image", file=name) for name in self.image),
            *links,
            *programs,
            *(Attachment(kind="video", file=name) for name in self.video),
            *(Attachment(kind="file", file=name) for name in self.file),
        )

    @property
    def files(self) -> tuple[tuple[str, str], ...]:
        """(image | video | file, name) of everything that is to be uploaded."""
        kinds = {"miniprogram": "image"}
        return tuple((kinds.get(each.kind, each.kind), each.file) for each in self.attachments if each.file)

    @property
    def variables(self) -> frozenset[Variable]:
        """What its text asks for."""
        return compiled(self.text).variables


# --- rendering --------------------------------------------------------------------------------------------------------


def render_said(said: Said, given: Mapping[Variable, Any], events: Mapping[str, int]) -> Content:
    """What is sent. `given`: the variables' values; `events`: name → days from this day to it (may be negative).

    Raises ContentError.
    """
    try:
        text = compiled(said.text).render(given, events, most=MOST_BYTES)
    except TemplateError as error:
        raise ContentError(f"{error.place}{error}", said.where, error.line) from None
    text = text.strip()
    if not text and not said.attachments:
        raise ContentError("这一篇什么也没有说：文字是空的，也没有图片", said.where)
    if promised := induces(text):
        raise ContentError(f"「{promised}」像是在诱导分享，{WHY}", said.where)
    return Content(text=text, attachments=said.attachments)


def as_message(content: Content, where: str) -> str:
    """The same for staff, who get a message of the app's: a text, with web pages under it. Raises ContentError."""
    if any(each.kind != "link" for each in content.attachments):
        raise ContentError(
            "发给同事的只能写文字（text）和网页（link）：图片、文件等请写成网页，或在文字里说到哪里看", where
        )
    text = "\n".join([content.text, *(f"{each.title} {each.url}" for each in content.attachments)]).strip()
    over = len(text.encode()) - MOST_MESSAGE_BYTES
    if over > 0:
        raise ContentError(
            f"发给同事的消息太长，超出 {over} 字节：最多 {MOST_MESSAGE_BYTES:,} 字节（一个汉字 3 字节）", where
        )
    return text


def together(contents: tuple[Content, ...]) -> Content:
    """Several posts as one: the texts under each other, all attachments. Raises ContentError where it is too much."""
    text = "\n\n".join(each.text for each in contents if each.text)
    over = len(text.encode()) - MOST_BYTES
    if over > 0:
        raise ContentError(f"合在一起太长，超出 {over} 字节")
    attachments = tuple(dict.fromkeys(each for content in contents for each in content.attachments))
    if len(attachments) > MOST_ATTACHMENTS:
        raise ContentError(f"合在一起有 {len(attachments)} 个附件，最多 {MOST_ATTACHMENTS} 个")
    return Content(text=text, attachments=attachments)
