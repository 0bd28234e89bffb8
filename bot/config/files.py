"""Everything beside `config.yaml` that it names: word files, sheets of posts, and pictures and files that are sent.

All of it is read with the config and travels with it to other machines: word files and sheets as text, what is sent
as its digest (`sha256:… 12345`), so that a changed picture makes another version of the config. Whatever is wrong with
one of them is told where it is named, or, inside a sheet, at its cell.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from bot.config import word_files
from bot.config.checkin_sheets import read_checkin_sheet
from bot.config.post_sheets import files_in, read_post_sheet
from bot.config.problems import Problem, closest, short, written
from bot.config.sheets import UnreadableSheetError, cells, file_digest, sheet_text
from bot.config.word_files import Unreadable, neighbours, outside, with_words
from bot.config.yaml_tree import Items, Node, Scalar, child, read_tree, value_place, written_part
from bot.config.yaml_tree import Path as Steps
from rules.book import Book
from rules.checkins import Checkin
from rules.content import SIZES, Said
from rules.posts import SHEET, Post

B = TypeVar("B", bound=Book)
Files = Mapping[str, str | Unreadable]

_SENT = {"image": "图片", "video": "视频", "file": "文件"}
LEAST_BYTES = 6  # media/upload wants more than five (page 90253)


# --- reading ----------------------------------------------------------------------------------------------------------


def read_files(folder: Path, text: str) -> dict[str, str | Unreadable]:
    """What the config of this text names, each file's content or why there is none."""
    found = word_files.read_word_files(folder, word_files.named_in(text))
    if "posts" not in text and "checkins" not in text:
        return found
    root, _ = read_tree(text)
    sheets, sent = _named_in(root)
    for name in _sheets_of_checkins(root):
        found[name] = _read(folder, name, "表格", sheet_text)
    for name in sheets:
        found[name] = content = _read(folder, name, "表格", sheet_text)
        sent |= dict.fromkeys(name for _, name in files_in(cells(content))) if isinstance(content, str) else {}
    for name in sent:
        found.setdefault(name, _read(folder, name, "文件", file_digest))
    return found


def _named_in(root: Node | None) -> tuple[dict[str, None], dict[str, None]]:
    """The sheets, and the other files, that posts name, as far as the config can be read."""
    sheets, sent = dict[str, None](), dict[str, None]()
    posts = child(root, "posts")
    for post in posts.nodes if isinstance(posts, Items) else ():
        series = child(post, "series")
        if isinstance(series, Scalar) and series.text.lower().endswith(SHEET):
            sheets[series.text] = None
        parts = [post, *_items(series), *_items(child(post, "steps"))]
        for part in parts:
            pictures = (child(each, "picture") for each in _items(child(part, "miniprogram")))
            for node in (*(child(part, key) for key in _SENT), *pictures):
                sent |= dict.fromkeys(each.text for each in _items(node) if isinstance(each, Scalar) and each.text)
    return sheets, sent


def _sheets_of_checkins(root: Node | None) -> list[str]:
    days = [child(each, "days") for each in _items(child(root, "checkins"))]
    return [each.text for each in days if isinstance(each, Scalar) and each.text.lower().endswith(SHEET)]


def _items(node: Node | None) -> list[Node]:
    return list(node.nodes) if isinstance(node, Items) else [node] if node is not None else []


def _read(folder: Path, name: str, what: str, read: Callable[[Path], str]) -> str | Unreadable:
    path = folder / name
    if outside(name):
        return Unreadable(f"「{short(name)}」不在设置文件的文件夹里：请把{what}放到它旁边，写相对路径")
    try:
        return read(path)
    except UnreadableSheetError as error:
        return Unreadable(str(error))
    except FileNotFoundError:
        reason = f"找不到{what}「{short(name)}」（在 {path.parent.absolute()} 里找过）"
        return Unreadable(reason, closest(name, neighbours(folder, path.parent)))
    except (OSError, ValueError) as error:
        reason = str(error.strerror) if isinstance(error, OSError) else "名字不对"
        return Unreadable(f"打不开{what}「{short(name)}」（{reason}）：请确认它是一个普通文件，并且有读取权限")


# --- giving -----------------------------------------------------------------------------------------------------------


def with_files(book: B, root: Node, file: str, files: Files) -> tuple[B, list[Problem]]:
    """The book with its rules' words and its posts' rows; and what is wrong with the files. With problems the book is
    not to be used.
    """
    book, problems = with_words(book, root, file, files)
    posts = list[Post]()
    for place, post in enumerate(book.posts):
        path: Steps = ("posts", place)
        made, wrong = _with_rows(_placed(post, root, file, path), root, file, path, files)
        posts.append(made)
        problems += [*wrong, *_wrong_files_of(made, root, file, path, files)]
    checkins = list[Checkin]()
    for place, checkin in enumerate(book.checkins):
        led, wrong_days = _with_days(checkin, root, file, ("checkins", place, "days"), files)
        checkins.append(led)
        problems += wrong_days
    return book.model_copy(update={"posts": tuple(posts), "checkins": tuple(checkins)}), problems


def _with_days(checkin: Checkin, root: Node, file: str, here: Steps, files: Files) -> tuple[Checkin, list[Problem]]:
    if not isinstance(checkin.days, str):
        return checkin, []
    text = files.get(checkin.days, Unreadable(f"没有表格「{short(checkin.days)}」的内容"))
    try:
        sheet = read_checkin_sheet(cells(text), checkin.days) if isinstance(text, str) else text
    except UnreadableSheetError as error:
        sheet = Unreadable(str(error))
    if isinstance(sheet, Unreadable):
        at = value_place(root, here)
        return checkin, [Problem(file, *at, written(written_part(root, here)), short(checkin.days), *sheet)]
    return checkin.with_days(sheet.days), sheet.problems


def _placed(post: Post, root: Node, file: str, path: Steps) -> Post:
    """The post, its steps and the items of its list knowing where they are written."""

    def at(path: Steps) -> str:
        return f"{file}:{value_place(root, path).line}"

    update: dict[str, Any] = {
        "steps": tuple(each.standing_at(at((*path, "steps", number))) for number, each in enumerate(post.steps))
    }
    if isinstance(post.series, tuple):
        update["series"] = tuple(
            each.standing_at(at((*path, "series", number))) for number, each in enumerate(post.series)
        )
    return post.model_copy(update=update).standing_at(at((*path, "text")))


def _with_rows(post: Post, root: Node, file: str, path: Steps, files: Files) -> tuple[Post, list[Problem]]:
    if not isinstance(post.series, str) or not post.series:
        return post, []
    here = (*path, "series")

    def wrong(found: Unreadable) -> Problem:
        return Problem(
            file, *value_place(root, here), written(written_part(root, here)), short(str(post.series)), *found
        )

    text = files.get(post.series, Unreadable(f"没有表格「{short(post.series)}」的内容"))
    if isinstance(text, Unreadable):
        return post.with_rows(()), [wrong(text)]
    try:
        sheet = read_post_sheet(cells(text), post.series, post)
    except UnreadableSheetError as error:
        return post.with_rows(()), [wrong(Unreadable(str(error)))]
    problems = list(sheet.problems)
    if not sheet.problems and "日期" not in sheet.columns:
        if not post.when:
            problems.append(wrong(Unreadable("表格没有「日期」这一列，所以要在设置里写 when，例如 每天 08:30")))
        if "序号" in sheet.columns and not post.starts:
            problems.append(wrong(Unreadable("按序号发的表格要写 starts：第 1 期从哪天开始，例如 starts: 2026-12-01")))
    for row in sheet.rows:
        for kind, name, reason in _wrong_files(row, files):
            column = _SENT[kind]
            problems.append(Problem(post.series, row.line, sheet.columns[column], column, short(name), *reason))
    return post.with_rows(sheet.rows if not problems else ()), problems


def _wrong_files_of(post: Post, root: Node, file: str, path: Steps, files: Files) -> Iterator[Problem]:
    """Files named in the config that are sent and are not there, or that the platform would not take."""
    key = "steps" if post.steps else "series"
    for number, said in enumerate(() if post.in_sheet else post.all_said):
        place = path if said is post else (*path, key, number)
        for _, name, reason in _wrong_files(said, files):
            here = _named_at(root, place, name)
            yield Problem(file, *value_place(root, here), written(here), short(name), *reason)


def _wrong_files(said: Said, files: Files) -> Iterator[tuple[str, str, Unreadable]]:
    for kind, name in said.files:
        reason = _wrong_file(kind, name, files.get(name, Unreadable(f"没有文件「{short(name)}」的内容")))
        if reason is not None:
            yield kind, name, reason


def _named_at(root: Node, place: Steps, name: str) -> Steps:
    """Where, within what is said at `place`, a file is named."""
    for step in place:
        root = child(root, step) or root
    for key in _SENT:
        node = child(root, key)
        if isinstance(node, Scalar) and node.text == name:
            return (*place, key)
        for number, each in enumerate(_items(node) if isinstance(node, Items) else ()):
            if isinstance(each, Scalar) and each.text == name:
                return (*place, key, number)
    return (*place, "miniprogram") if child(root, "miniprogram") else place


def _wrong_file(kind: str, name: str, content: str | Unreadable) -> Unreadable | None:
    if isinstance(content, Unreadable):
        return content
    size, (_, most) = int(content.rsplit(" ", 1)[-1]), SIZES[kind]
    if size > most:
        return Unreadable(f"{_SENT[kind]}「{short(name)}」太大：最多 {most >> 20} MB，现在 {size / (1 << 20):.1f} MB")
    if size < LEAST_BYTES:
        return Unreadable(f"{_SENT[kind]}「{short(name)}」是空的")
    return None
