"""The example sheets of posts, and the wrong ones that tests answer: written anew with

    .venv/bin/python docs/make_sheets.py

Sheets are edited in Excel or WPS; this is only how the first ones came to be, so that anybody can see what is in them.
"""

from collections.abc import Sequence
from datetime import date, datetime, time
from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from PIL import Image, ImageDraw

ROOT = Path(__file__).parents[1]
MADE = datetime(2026, 11, 22, 8, 0)  # noqa: DTZ001  # Excel knows no zones
Row = Sequence[object]

MORNING: list[Row] = [
    ["序号", "文字", "图片", "备注"],
    [1, "早上好，今天{{日期}}{{星期}}。\n水烧开先晾一分钟，绿茶不苦。", None, "一周七条，轮着发"],
    [2, "早上好。\n一克茶配五十毫升水，闻着香，喝着不淡。", None, None],
    [3, "早上好，今天是{{星期}}。\n白茶能放，密封、避光、离厨房远一点。", None, None],
    [4, "早上好。\n泡过的茶渣晾干，放进鞋柜去味。", None, None],
    [5, "早上好，{{星期}}了。\n红茶加一片生姜，冷天喝着暖。", None, None],
    [6, "早上好，周末慢一点。\n盖碗出汤快，新手用七分满不烫手。", None, None],
    [7, "早上好。\n下一周想听哪款茶，群里说一声。", None, None],
]
FESTIVALS: list[Row] = [
    ["日期", "时间", "群", "文字", "图片", "备注"],
    [date(2026, 12, 7), time(10, 0), None, "今日大雪。围炉煮茶，陈皮白茶正当时。", "content/posts/围炉.png", "节气"],
    [date(2026, 12, 22), time(10, 0), None, "冬至安康。今天白天最短。", "content/posts/围炉.png", "节气"],
    [date(2026, 12, 24), time(19, 0), "vip", "平安夜安好，店里留了热红茶，路过来坐坐。", None, "只给 VIP"],
    [date(2026, 12, 24), time(19, 0), None, "平安夜安好，晚上早点回家。", None, None],
]
SEVEN_DAYS: list[Row] = [
    ["天", "主题", "任务", "内容", "打卡方式", "问题", "选项", "加导购", "备注"],
    [
        1,
        "认识您的茶艺师",
        "加一位茶艺师，有什么想问的随时说。",
        "往后七天，每天一件小事，两分钟就好。",
        "点一下",
        None,
        None,
        "是",
        "没有奖励：加人不送东西",
    ],
    [
        2,
        "您平时喝什么",
        "选一个最常喝的。",
        "没有最好的茶，只有喝着舒服的茶。",
        "选择",
        "您最常喝哪一种茶？",
        "绿茶=喜欢绿茶、红茶=喜欢红茶、白茶=喜欢白茶、还没想好",
        None,
        "答案会变成标签",
    ],
    [
        3,
        "水温",
        "今天泡一杯，试试八十度的水。",
        "绿茶八十度，红茶九十五度，白茶可以煮。",
        "点一下",
        None,
        None,
        None,
        None,
    ],
    [
        4,
        "送人还是自己喝",
        "选一个。",
        "自己喝看口味，送人看包装和名气。",
        "选择",
        "您买茶，多半是？",
        "自己喝=自己喝、送人=送礼、都有=自己喝",
        None,
        None,
    ],
    [
        5,
        "茶具",
        "拍一张您泡茶的杯子。",
        "玻璃杯看得见茶舞，盖碗出汤快，保温杯先不盖盖子。",
        "图片",
        None,
        None,
        None,
        None,
    ],
    [6, "存茶", "看看家里的茶放在哪里。", "密封、避光、离厨房远一点；绿茶放冰箱。", "点一下", None, None, None, None],
    [
        7,
        "说一句话",
        "写下这七天您喝到的最好的一杯。",
        "谢谢您陪我们喝了七天的茶。",
        "文字",
        None,
        None,
        None,
        "打满七天有券",
    ],
]

WRONG: list[Row] = [
    ["早报（十二月）"],
    ["日期", "时间", "群", "文字", "图片"],
    [date(2026, 12, 1), time(8, 30), None, "早上好", None],
    ["2026-12-32", "25:00", None, "早上好", None],
    [None, time(8, 30), None, "没有日期", None],
    [date(2026, 12, 3), time(8, 30), None, None, None],
    [date(2026, 12, 4), time(8, 30), None, "{{群}}早\n{% for x in y %}", None],
    [date(2026, 12, 5), time(8, 30), None, "转发到朋友圈，领券", None],
    [date(2026, 12, 6), time(8, 30), None, "好", "posts/没有.png、posts/tea.gif"],
    [date(2026, 12, 1), time(8, 30), None, "又一条", None],
    [date(2026, 12, 7), time(8, 30), None, "#REF!", None],
]
HEADINGS: list[Row] = [
    ["日期", "序号", "正文", "图片", "文案", "发送人", None],
    [date(2026, 12, 1), 1, "好", None, "好", "王五", "没有标题"],
]
WRONG_DAYS: list[Row] = [
    ["七日打卡（十二月）"],
    ["天", "主题", "任务", "内容", "打卡方式", "问题", "选项", "加导购"],
    [1, "认识", None, None, "点一下", None, None, "是的"],
    [3, None, "没有主题", None, None, None, None, None],
    [3, "选择没有题", None, None, "选择", None, None, None],
    [4, "只有一个选项", None, None, "选择", "喝什么？", "绿茶=喜欢绿茶", None],
    [5, "没有选项", None, None, None, "喝什么？", None, None],
    [6, "选项写两次", None, None, None, "喝什么？", "绿茶=喜欢绿茶、绿茶=喜欢红茶", None],
    [7, "拍照", None, "转发到朋友圈，领券", "拍照", None, None, None],
    [8, "#REF!", None, None, None, None, None, None],
    [9, "很长的主题" * 7, None, None, None, None, None, None],
]
WRONG_HEADINGS: list[Row] = [
    ["天", "主题", "人物", "内容", "正文", "问题", None],
    [1, "好", "好", "好", "好", "好", "?"],
]
TIMES: list[Row] = [["日期", "时间", "文字", "网址"], [date(2026, 12, 1), time(8, 30), "好", "https://brand.com"]]
NUMBERED: list[Row] = [["序号", "文字"], [1, "第一期"], [2, "第二期"]]


def write(path: Path, rows: Sequence[Row]) -> None:
    """A sheet that is pleasant to read: bold headings, wide columns, wrapped lines."""
    book = Workbook()
    book.properties.created = book.properties.modified = MADE
    sheet = book.active
    for row in rows:
        sheet.append(list(row))
    for cell in next(sheet.iter_rows(max_row=1)):
        cell.font = Font(bold=True)
    for number in range(1, sheet.max_column + 1):
        letter = get_column_letter(number)
        longest = max((len(str(cell.value or "")) for cell in sheet[letter]), default=0)
        sheet.column_dimensions[letter].width = min(60, 6 + 2 * longest)
        for cell in sheet[letter]:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    sheet.freeze_panes = "A2"
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)


def paint(path: Path, colour: str) -> None:
    """A plain picture in place of the shop's own."""
    picture = Image.new("RGB", (750, 420), colour)
    ImageDraw.Draw(picture).ellipse((300, 135, 450, 285), fill="#f4e9d8")
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, optimize=True)


def main() -> None:
    """Write them all."""
    write(ROOT / "content/早报.xlsx", MORNING)
    write(ROOT / "content/节日.xlsx", FESTIVALS)
    write(ROOT / "content/七日打卡.xlsx", SEVEN_DAYS)
    paint(ROOT / "content/posts/围炉.png", "#7a4b2a")
    paint(ROOT / "content/posts/茶会.png", "#4f6f52")
    golden = ROOT / "tests/bot/golden/posts"
    write(golden / "错处.xlsx", WRONG)
    write(golden / "标题.xlsx", HEADINGS)
    write(golden / "时间.xlsx", TIMES)
    write(golden / "按序号.xlsx", NUMBERED)
    write(golden / "打卡错处.xlsx", WRONG_DAYS)
    write(golden / "打卡标题.xlsx", WRONG_HEADINGS)
    write(golden / "打卡七天.xlsx", SEVEN_DAYS)
    (golden / "不是.xlsx").write_text("日期,文字\n", encoding="utf-8")
    paint(golden / "tea.png", "#4f6f52")


if __name__ == "__main__":
    main()
