"""Makes the README's pictures anew: `.venv/bin/python docs/make_images.py` (needs Chromium and a Chinese font).

demo.png: a part of what `steward demo` prints. phone.png: a card on the simulator's `/phone` page, 390 px wide.
"""

import asyncio
import io
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import unquote

import httpx2
from playwright.sync_api import Browser, sync_playwright
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from bot.cli import EXAMPLE
from bot.demo import play
from bot.logs import set_up_logs

IMAGES = Path(__file__).parent / "images"
WIDTH = 112  # columns of the terminal in the picture
FROM, TO = "三、", "四、"  # the scene that is shown

# A font whose letters are exactly half as wide as its Chinese characters, so that the table's columns stand straight;
# its lines are not, and come from one whose are 0.602 em wide.
PAGE = """<style>
@font-face {{ font-family: lines; src: local("DejaVu Sans Mono"); unicode-range: U+2500-257F; size-adjust: 83.06% }}
body {{ margin: 0; background: #1e2227 }}
pre {{ display: inline-block; margin: 0; padding: 14px 18px; color: #d7dae0 }}
pre {{ font: 15px/22px lines, "Noto Sans Mono CJK SC" }}
</style><pre>{code}</pre>"""


def main() -> None:
    """Both pictures."""
    set_up_logs(level="ERROR")
    lines = told()  # before Playwright, which keeps an event loop of its own running
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        draw_terminal(browser, lines)
        draw_phone(browser)
        browser.close()


def told() -> list[Text]:
    """The lines of one scene and of the closing table, as the demo prints them."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)

    async def no_pause(_lines: float) -> None:
        return

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(play(console, EXAMPLE, Path(folder), pause=no_pause, stay=False, seed=1))
    lines = [Text.from_ansi(line) for line in console.export_text(styles=True).splitlines()]
    starts = [number for number, line in enumerate(lines) if line.plain.startswith((FROM, TO))]
    table = next(number for number, line in enumerate(lines) if line.plain.strip().startswith("答应的，"))
    return [Text("$ make demo", "bold green"), Text("…"), *lines[starts[0] : starts[1]], Text("…"), *lines[table:]]


def draw_terminal(browser: Browser, lines: list[Text]) -> None:
    """The lines in a terminal's window."""
    console = Console(record=True, width=WIDTH, file=io.StringIO())
    for line in lines:
        console.print(line, no_wrap=True, crop=False)
    page = browser.new_page(viewport={"width": 1200, "height": 800})
    page.set_content(console.export_html(theme=MONOKAI, inline_styles=True, code_format=PAGE))
    page.locator("pre").screenshot(path=IMAGES / "demo.png")


def draw_phone(browser: Browser) -> None:
    """A group owner's phone a few seconds after a rival came in: played in `steward demo --stay` through its pages."""
    command = [str(Path(sys.executable).parent / "steward"), "demo", "--stay", "--pace", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, bufsize=1) as demo:
        assert demo.stdout is not None
        try:
            simulator = next(found[0] for line in demo.stdout if (found := re.findall(r"http://[\d.:]+", line)))
            while "演示留着不关" not in next(demo.stdout, "演示留着不关"):
                pass
            owner = _a_rival_comes_in(simulator)
            page = browser.new_page(viewport={"width": 390, "height": 700}, device_scale_factor=1.5)
            page.goto(owner)
            page.screenshot(path=IMAGES / "phone.png")
        finally:
            demo.send_signal(signal.SIGINT)


def _a_rival_comes_in(simulator: str) -> str:
    """Make somebody, have them scan a group's code, wait for the card. The address of the owner's phone."""
    with httpx2.Client(base_url=simulator, follow_redirects=True) as client:
        born = client.post("/phone/new", data={"name": "冯推销", "company": "对手茶业有限公司"})
        code = unquote(born.text.split('name="code" value="')[1].split('"')[0])
        client.post(f"{born.url.path}/join", data={"code": code})
        owner = "/phone/wangwu"
        deadline = time.monotonic() + 20
        while "请移出「冯推销」" not in client.get(owner).text:
            if time.monotonic() > deadline:
                raise TimeoutError("no card came")
            time.sleep(0.2)
        return f"{simulator}{owner}"


if __name__ == "__main__":
    main()
