"""Logs: readable lines, and no secret in any of them."""

import logging
from collections.abc import Iterator
from io import StringIO

import pytest
from loguru import logger

from bot.logs import redact, set_up_logs

SECRET = "s3cr3t/value+1"


@pytest.fixture
def out() -> Iterator[StringIO]:
    stream = StringIO()
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    set_up_logs("INFO", [SECRET, "abc"], stream)
    yield stream
    logger.remove()
    logger.configure(patcher=redact([]))
    root.handlers[:], root.level = before, level


def test_a_secret_in_a_message_is_blotted_out(out: StringIO) -> None:
    """A known secret is not printed, plain or URL-encoded, and the rest of the line is."""
    logger.info("calling /gettoken?corpsecret={}&x={}", SECRET, "s3cr3t%2Fvalue%2B1")
    assert "corpsecret=[secret]&x=[secret]" in out.getvalue()
    assert "s3cr3t" not in out.getvalue()


def test_a_secret_in_an_exception_is_blotted_out_and_the_traceback_stays(out: StringIO) -> None:
    """An exception that carries a secret is logged with its traceback and without the secret, causes included."""
    try:
        try:
            raise ValueError(f"inner {SECRET}")
        except ValueError as error:
            raise RuntimeError("outer") from error
    except RuntimeError:
        logger.exception("it broke")
    text = out.getvalue()
    assert "s3cr3t" not in text
    assert "inner [secret]" in text
    assert "RuntimeError: outer" in text
    assert "test_logs.py" in text


def test_variables_are_never_shown_in_tracebacks(out: StringIO) -> None:
    """Local variables, which may hold any secret, are no part of a traceback."""
    unknown_secret = "a token nobody listed"
    try:
        int(unknown_secret[:0])
    except ValueError:
        logger.exception("it broke")
    assert "ValueError" in out.getvalue()
    assert unknown_secret not in out.getvalue()


def test_a_secret_in_extra_is_blotted_out(out: StringIO) -> None:
    """What is bound to a line is scrubbed too, also inside a structure."""
    logger.bind(event={"url": SECRET}, case=7).warning("hm")
    assert "event={'url': '[secret]'}" in out.getvalue()
    assert "case=7" in out.getvalue()


def test_short_values_do_not_blot_out_ordinary_words(out: StringIO) -> None:
    """A value shorter than four characters is too common to be scrubbed."""
    logger.info("abcdef")
    assert "abcdef" in out.getvalue()


def test_ids_of_the_context_stand_on_the_line(out: StringIO) -> None:
    """An event's or a case's id is printed with every line said while it is worked on, and with no other."""
    with logger.contextualize(event=12):
        logger.info("working {not a field}")
    logger.info("idle")
    first, second = out.getvalue().splitlines()
    assert "event=12" in first
    assert "working {not a field}" in first
    assert "event=" not in second


def test_the_standard_library_is_led_in_and_scrubbed(out: StringIO) -> None:
    """Libraries that use `logging` end up in the same stream, under their own name, filtered and scrubbed alike."""
    logging.getLogger("some.library").warning("100%% {braces} %s", SECRET)
    logging.getLogger("some.library").debug("too fine")
    assert "some.library" in out.getvalue()
    assert "100% {braces} [secret]" in out.getvalue()
    assert "too fine" not in out.getvalue()
