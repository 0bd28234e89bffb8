"""Word files: read beside the config, told about where they are named, and part of the config's version."""

from pathlib import Path

import pytest

from bot.config.needs import parse_book
from bot.config.read import ConfigError, Written, config_hash, read_config, read_written
from bot.config.word_files import named_in
from rules.book import Book
from rules.keywords import Keywords

CONFIG = "rules:\n- rule: keywords\n  word_files: content/广告词.txt\n"


def write(folder: Path, content: bytes, config: str = CONFIG) -> Path:
    (folder / "content").mkdir(exist_ok=True)
    (folder / "content" / "广告词.txt").write_bytes(content)
    (folder / "config.yaml").write_text(config, encoding="utf-8")
    return folder / "config.yaml"


def complaint(path: Path) -> str:
    with pytest.raises(ConfigError) as refused:
        read_config(path, Book)
    (problem,) = refused.value.problems
    assert (problem.line, problem.column, problem.path) == (3, 15, "rules[0].word_files")
    return problem.says


@pytest.mark.parametrize("content", ["刷单\n加微信\n".encode(), "\ufeff# 说明\r\n刷单\r\n加微信\r\n".encode()])
def test_rules_get_the_words_of_their_files(tmp_path: Path, content: bytes) -> None:
    """Whatever editor wrote them; the rule finds them at once."""
    (rule,) = read_config(write(tmp_path, content), Book).rules
    assert isinstance(rule, Keywords)
    assert len(rule.word_list) == 2
    assert rule.word_list.find("刷单", "刷单")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "一个词也没有"),
        ("# 只有说明\n".encode(), "一个词也没有"),
        ("刷单\n加微信\n".encode("gbk"), "第 1 行不是 UTF-8 编码的文字"),
        ("好\n".encode() + b"\xff", "第 2 行不是 UTF-8"),
        ("好\n！！\n".encode(), "「！！」只有符号，没有字"),
        ("\n".join(f"词{n}" for n in range(10_001)).encode(), "有 10001 个词，最多 10000 个"),
        (b"a\n" * 600_000, "太大"),
    ],
)
def test_what_is_wrong_is_told_where_the_file_is_named(tmp_path: Path, content: bytes, says: str) -> None:
    """With the line and column in config.yaml, and the line in the file where there is one."""
    assert says in complaint(write(tmp_path, content))


@pytest.mark.parametrize("name", ["/etc/hostname", "../secret.txt", "content/../../secret.txt"])
def test_files_elsewhere_are_not_read(tmp_path: Path, name: str) -> None:
    """What stands on the server but not beside the config is none of a config's business."""
    (tmp_path / "secret.txt").write_text("密\n", encoding="utf-8")
    (tmp_path / "inside").mkdir()
    path = write(tmp_path / "inside", b"", CONFIG.replace("content/广告词.txt", name))
    assert "不在设置文件的文件夹里" in complaint(path)


@pytest.mark.parametrize("name", ["content", '"a\\0b"'])
def test_what_is_no_file_is_told_and_not_raised(tmp_path: Path, name: str) -> None:
    """A folder, or a name that no file can have."""
    assert "打不开词库文件" in complaint(write(tmp_path, b"", CONFIG.replace("content/广告词.txt", name)))


def test_a_likely_neighbour_is_named(tmp_path: Path) -> None:
    """As it would have to be written."""
    path = write(tmp_path, "刷单\n".encode(), CONFIG.replace("广告词.txt", "广告.txt"))
    assert "您是不是想写「content/广告词.txt」？" in complaint(path)


def test_the_version_covers_the_files(tmp_path: Path) -> None:
    """A changed word file is another configuration; without any, the version is that of the text, as ever."""
    one = read_written(write(tmp_path, "刷单\n".encode()))
    other = read_written(write(tmp_path, "兼职\n".encode()))
    assert one.hash != other.hash != config_hash(CONFIG)
    assert Written("managers: []").hash == config_hash("managers: []")


def test_a_config_that_travelled_needs_no_files() -> None:
    """On another machine the contents come with the config; without them it is refused, not run half blind."""
    book = parse_book(Written(CONFIG, {"content/广告词.txt": "刷单\n"}), "config.yaml", ())
    assert isinstance(book.rules[0], Keywords)
    assert len(book.rules[0].word_list) == 1
    with pytest.raises(ConfigError, match="没有词库文件"):
        parse_book(Written(CONFIG), "config.yaml", ())


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (CONFIG, ["content/广告词.txt"]),
        ("rules: [{word_files: [a, b]}, {word_files: a}, {rule: x}, text]", ["a", "b"]),
        ("rules: [{word_files: {a: b}}]", []),
        ("word_files: a", []),
        ("rules: [{word_files: [", []),
        ("managers: []", []),
    ],
)
def test_the_files_are_known_however_wrong_the_rest_is(text: str, names: list[str]) -> None:
    """So that all mistakes can be told at once, and the files be watched."""
    assert named_in(text) == names
