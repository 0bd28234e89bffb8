"""docs/messages.md: its schema is the code's, and what it tells people to run works.

Where the shape has changed on purpose:  STEWARD_GOLDEN=write .venv/bin/python -m pytest tests/docs/test_messages.py
"""

import asyncio
import json
import os
import re
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from bot.clocks import SystemClock
from bot.metrics import Metrics
from bot.pages.ingest import MAX_AGE, MOST_BYTES, Intake, ingest_messages
from bot.pages.messages import AHEAD, MOST_ITEMS, MOST_TEXT, OLDEST, Batch, read_batch, read_item
from bot.server import running
from store.database import Database

DOCS = Path(__file__).parent.parent.parent / "docs"
SECRET = "a-secret-of-both-sides"


def page() -> str:
    return (DOCS / "messages.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    [code] = re.findall(rf"^```{language}\n(.*?)^```", page(), re.MULTILINE | re.DOTALL)
    return str(code)


def test_the_schema_is_what_the_code_takes() -> None:
    """docs/messages.schema.json is made of the model that reads the items."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Batch.model_json_schema()}
    text = json.dumps(schema, ensure_ascii=False, indent=2) + "\n"
    file = DOCS / "messages.schema.json"
    if os.environ.get("STEWARD_GOLDEN") == "write":
        file.write_text(text, encoding="utf-8")
    assert file.read_text(encoding="utf-8") == text


def test_the_figures_on_the_page_are_the_codes() -> None:
    """Limits and ages stand on the page as they are."""
    for words in (
        f"At most {MOST_ITEMS:,} messages and 4 MiB ({MOST_BYTES:,} bytes)",
        f"at most {MAX_AGE} s away",
        f"{MOST_TEXT:,} characters are kept",
        f"not more than {OLDEST.days} days ago, nor {AHEAD.seconds // 60} minutes ahead",
    ):
        assert words in page()


def test_the_request_on_the_page_is_a_good_one() -> None:
    """The body in the example is read as a message."""
    [item] = read_batch(block("http").rpartition("\n\n")[2].encode())
    message = read_item(item, datetime(2026, 11, 25, 12, 0, tzinfo=UTC))
    assert message.text == "加我微信，全场五折"


def _command(name: str) -> list[str]:
    if name == "python":
        return [sys.executable, "-c", block("python")]
    if not (shutil.which("curl") and shutil.which("openssl")):
        pytest.skip("not installed: curl and openssl")
    return ["sh", "-c", block("sh")]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sh", {"accepted": 1, "doubled": 0, "refused": []}),
        ("python", {"accepted": 1, "doubled": 0, "refused": [{"index": 1, "msgid": "", "error": "msgid: is empty"}]}),
    ],
)
async def test_the_examples_work(sqlite_db: Database, name: str, expected: Any) -> None:
    """Run as they stand on the page, against a server on this machine, they deliver a message."""
    command, app = _command(name), FastAPI()
    app.include_router(ingest_messages(Intake(sqlite_db, SystemClock(), Metrics(), lambda: None, SECRET)))
    async with running(app, "127.0.0.1", 0) as port:
        env = {"PATH": os.environ["PATH"], "STEWARD_INGEST_SECRET": SECRET}
        env |= {"STEWARD_URL": f"http://127.0.0.1:{port}", "no_proxy": "127.0.0.1"}
        pipe = asyncio.subprocess.PIPE
        example = await asyncio.create_subprocess_exec(*command, env=env, stdout=pipe, stderr=pipe)
        out, err = await asyncio.wait_for(example.communicate(), 60)
    assert (example.returncode, err.decode()) == (0, "")
    assert json.loads(out) == expected
