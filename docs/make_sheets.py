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
    paint(ROOT / "content/posts/围炉.png", "#7a4b2a")
    paint(ROOT / "content/posts/茶会.png", "#4f6f52")
    golden = ROOT / "tests/bot/golden/posts"
    write(golden / "错处.xlsx", WRONG)
    write(golden / "标题.xlsx", HEADINGS)
    write(golden / "时间.xlsx", TIMES)
    write(golden / "按序号.xlsx", NUMBERED)
    (golden / "不是.xlsx").write_text("日期,文字\n", encoding="utf-8")
    paint(golden / "tea.png", "#4f6f52")


if __name__ == "__main__":
    main()
