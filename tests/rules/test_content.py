"""What a post says: attachments, files, limits, and no promise for passing it on."""

from typing import Any

import pytest
from pydantic import ValidationError

from rules.content import Attachment, Content, ContentError, Said, as_message, render_said, together
from rules.inducement import induces


def reasons_against(**settings: Any) -> str:
    with pytest.raises(ValidationError) as refused:
        Said.model_validate(settings)
    return "；".join(each["msg"] for each in refused.value.errors())


LINK = {"url": "https://brand.com/a", "title": "新茶"}
PROGRAM = {"appid": "wx1234567890", "page": "pages/a.html", "title": "新茶", "picture": "content/a.png"}


def test_attachments_are_sent_in_a_fixed_order() -> None:
    """Images first; one or several of each kind may be written."""
    said = Said.model_validate(
        {
            "text": "好",
            "file": "a.pdf",
            "image": ["a.png", "b.JPG"],
            "link": LINK,
            "miniprogram": [PROGRAM],
            "video": "v.mp4",
        }
    )
    assert [(each.kind, each.file or each.url) for each in said.attachments] == [
        ("image", "a.png"),
        ("image", "b.JPG"),
        ("link", "https://brand.com/a"),
        ("miniprogram", "content/a.png"),
        ("video", "v.mp4"),
        ("file", "a.pdf"),
    ]
    assert said.files[-3:] == (("image", "content/a.png"), ("video", "v.mp4"), ("file", "a.pdf"))


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"image": ["a.gif"]}, "格式不行：只能是 jpg、jpeg、png"),
        ({"video": "a.mov"}, "格式不行：只能是 mp4"),
        ({"image": "/etc/a.png"}, "不在设置文件的文件夹里"),
        ({"file": "../a.pdf"}, "不在设置文件的文件夹里"),
        ({"image": [f"{number}.png" for number in range(10)]}, "最多 9 个"),
        ({"link": {**LINK, "url": "brand.com"}}, "pattern"),
        ({"link": {**LINK, "title": "好" * 43}}, "最多 128 字节"),
        ({"miniprogram": {**PROGRAM, "title": "好" * 22}}, "最多 64 字节"),
        ({"miniprogram": {**PROGRAM, "picture": "a.gif"}}, "格式不行"),
        ({"text": "{{群}}"}, "不认识变量「群」"),
        ({"text": "一\n{% for x in y %}"}, "文字第 2 行"),
        ({"text": "转发到朋友圈，领 20 元券"}, "诱导分享"),
        ({"text": "好" * 1334}, "最多 4,000 字节"),
    ],
)
def test_what_the_platform_would_refuse_is_refused_here(settings: dict[str, Any], says: str) -> None:
    """Formats, numbers and lengths of page 92135; and places outside of the config's folder."""
    assert says in reasons_against(**settings)


def test_what_is_wrong_says_where_it_is_written() -> None:
    """At run time, too: file and line, or the sheet's row, and the line within the text."""
    said = Said.model_validate({"text": "一\n{{还有几天('春节')}}"}).standing_at("config.yaml:12")
    with pytest.raises(ContentError, match=r"config\.yaml:12：文字第 2 行：不知道「春节」是哪一天") as refused:
        render_said(said, {}, {})
    assert refused.value.line == 2


def test_nothing_at_all_is_not_sent() -> None:
    """A text that turns out empty, without attachments."""
    said = Said.model_validate({"text": "{% if 群名 == 'x' %}好{% endif %}"})
    assert render_said(said, {"群名": "x"}, {}) == Content(text="好")
    with pytest.raises(ContentError, match="什么也没有说"):
        render_said(said, {"群名": "y"}, {})


def test_a_promise_that_variables_make_is_found_as_well() -> None:
    """A group called 转发 does not help to get around the lint."""
    said = Said.model_validate({"text": "把海报{{群名}}，领红包"})
    with pytest.raises(ContentError, match="诱导分享"):
        render_said(said, {"群名": "转发到朋友圈"}, {})


def test_posts_that_go_together_keep_the_limits() -> None:
    """Texts under each other, attachments once each; refused where it is too much."""
    picture = Attachment(kind="image", file="a.png")
    one, other = Content(text="早", attachments=(picture,)), Content(text="晚", attachments=(picture,))
    assert together((one, other)) == Content(text="早\n\n晚", attachments=(picture,))
    with pytest.raises(ContentError, match="超出 1 字节"):
        together((Content(text="a" * 2000), Content(text="b" * 1999)))
    many = tuple(Attachment(kind="image", file=f"{number}.png") for number in range(5))
    more = tuple(Attachment(kind="image", file=f"b{number}.png") for number in range(5))
    with pytest.raises(ContentError, match="10 个附件"):
        together((Content(attachments=many), Content(attachments=more)))


@pytest.mark.parametrize(
    "text",
    [
        "转发本条到朋友圈，领 20 元券",
        "邀请三位好友进群得红包",
        "分享给好友，双方各得5元",
        "凭转发截图到店领礼",
        "集赞 30 个送茶杯",
        "转 发 给 朋 友 ， 免 费 喝",
        "轉發領獎",
        "好茶。\n拉人进群，人人有奖！",
        "发朋友圈，晒图返现",
        "助力成功，解锁优惠",
    ],
)
def test_a_promise_for_passing_on_is_found(text: str) -> None:
    """However it is spaced or written: what is to be passed on, and what there is for it."""
    assert induces(text)


@pytest.mark.parametrize(
    "text",
    [
        "周三分享会：如何泡好一杯龙井，到店送小样",
        "欢迎把好茶分享给朋友",
        "邀请您参加周六茶会，免费品鉴",
        "诚邀各位会员到店，领新年礼",
        "本周打卡满七天有奖",
        "今晚开奖，红包雨等您来",
        "转发。\n优惠三天",
        "欢迎转发公告，记得周六来",
        "邀请好友礼拜天一起来，抽空喝杯茶",
    ],
)
def test_ordinary_words_are_let_be(text: str) -> None:
    """A sharing evening, an invitation to the shop, a reward for something else."""
    assert induces(text) == ""


def test_staff_get_a_text_with_web_pages_under_it() -> None:
    """An app's message is a text."""
    page = Attachment(kind="link", url="https://a.cn/b", title="清单")
    assert as_message(Content(text="盘点", attachments=(page,)), "here") == "盘点\n清单 https://a.cn/b"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (Content(text="好", attachments=(Attachment(kind="image", file="a.png"),)), "只能写文字"),
        (Content(text="好" * 683, attachments=()), "超出 1 字节"),
    ],
)
def test_what_staff_could_not_get_is_refused_rather_than_cut_off(content: Content, says: str) -> None:
    """With the place where it is written."""
    with pytest.raises(ContentError, match=says) as caught:
        as_message(content, "config.yaml:4")
    assert caught.value.where == "config.yaml:4"
