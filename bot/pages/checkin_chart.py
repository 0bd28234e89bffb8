"""The funnel of a check-in as an SVG picture: a bar a day, how many could and how many did. Pure; needs no script."""

from html import escape

from rules.checkin_report import Cohort, say_share

WIDTH, HEIGHT = 360, 220
LEFT, TOP, BOTTOM = 8, 28, 190
FEW = 10  # so many days have room for a number each
COULD, DID, INK, SOFT = "#d5dff2", "#1f5fd0", "#1d2129", "#566072"


def chart(cohort: Cohort, title: str) -> str:
    """The whole `<svg>` element. What it shows is in its title, too, for those who cannot see it."""
    most = max((day.due for day in cohort.days), default=0)
    if not most:
        return ""
    step = (WIDTH - 2 * LEFT) / len(cohort.days)
    every = max(1, -(-len(cohort.days) // FEW))
    parts = []
    for place, day in enumerate(cohort.days):
        x, width = LEFT + place * step, max(2.0, step - 6)
        for fill, number in ((COULD, day.due), (DID, day.done)):
            high = (BOTTOM - TOP) * number / most
            size = f'x="{x:.1f}" y="{BOTTOM - high:.1f}" width="{width:.1f}" height="{high:.1f}"'
            parts.append(f'<rect {size} rx="2" fill="{fill}"/>')
        if day.number % every == 1 % every:
            middle = x + width / 2
            parts += [
                _text(middle, BOTTOM - (BOTTOM - TOP) * day.due / most - 6, str(day.done), INK),
                _text(middle, BOTTOM + 20, str(day.number), SOFT),
            ]
    said = "；".join(
        f"第 {day.number} 天 {day.done}/{day.due}（{say_share(day.done, day.due)}）" for day in cohort.days
    )
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="100%" role="img" xmlns="http://www.w3.org/2000/svg">'
        f"<title>{escape(f'{title}：{said}')}</title>{''.join(parts)}</svg>"
    )


def _text(x: float, y: float, said: str, fill: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="16" text-anchor="middle" fill="{fill}">{escape(said)}</text>'
