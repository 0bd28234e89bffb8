"""Texts with variables: what they may say, and what nobody can make them do."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.template import MOST_SOURCE, VARIABLES, TemplateError, Variable, compiled

GIVEN: dict[Variable, Any] = {
    "群名": "会员一群",
    "店名": "静安店",
    "种类": "members",
    "日期": "11月25日",
    "星期": "周三",
    "年": 2026,
    "月": 11,
    "日": 25,
    "时间": "20:00",
    "期数": 3,
}
EVENTS = {"双十二": 17, "昨天": -1}


def refusal(source: str) -> str:
    """Why a text is refused, or ""."""
    try:
        said(source)
    except TemplateError as error:
        return str(error)
    return ""


def said(source: str, most: int = 4000) -> str:
    return compiled(source).render(GIVEN, EVENTS, most=most)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{群名}}，{{日期}}{{ 星期 }} {{时间}}", "会员一群，11月25日周三 20:00"),
        ("{{group}} {{date}} {{weekday}} #{{number}}", "会员一群 11月25日 周三 #3"),
        ("还有{{还有几天('双十二')}}天", "还有17天"),
        ("还有{{ days_to('双十二') - 1 }}晚", "还有16晚"),
        ("{% if 星期 == '周三' %}今晚{% else %}改天{% endif %}见", "今晚见"),
        ("{{ '早' if 月 == 11 else '好' }}", "早"),
        ("满 100% 减{# 说明 #} {单个花括号}", "满 100% 减 {单个花括号}"),
        ("<b>&amp;</b>", "<b>&amp;</b>"),
    ],
)
def test_what_a_text_may_say(source: str, text: str) -> None:
    """Variables, days to an event and an `if`; all else stays as it is written."""
    assert said(source) == text


@pytest.mark.parametrize(
    ("source", "says"),
    [
        pytest.param("{{ ''.__class__.__mro__ }}", "属性", id="attributes of a text"),
        pytest.param("{{ 群名.__class__ }}", "属性", id="attributes of a variable"),
        pytest.param("{{ 还有几天.__globals__ }}", "属性", id="attributes of a function"),
        pytest.param("{{ 群名['__class__'] }}", "方括号", id="indexes"),
        pytest.param("{{ 群名|attr('__class__') }}", "|attr", id="a filter that reads attributes"),
        pytest.param("{{ 群名|map('upper')|list }}", "|", id="filters that run over things"),
        pytest.param("{{ '%99999999d'|format(1) }}", "|format", id="formats"),
        pytest.param("{{ '%99999999d' % 1 }}", "百分号", id="a percent that pads"),
        pytest.param("{{ 'x' * 999999999 }}", "乘法", id="multiplied text"),
        pytest.param("{{ 9 ** 9 ** 9 }}", "乘方", id="a huge number"),
        pytest.param("{% for i in range(999999999) %}x{% endfor %}", "循环", id="a loop without end"),
        pytest.param("{% for c in 群名 recursive %}{{ loop(c) }}{% endfor %}", "循环", id="a recursive loop"),
        pytest.param("{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}", "宏", id="a macro that calls itself"),
        pytest.param("{% set x = 群名 %}{{ x }}", "赋值", id="assignments"),
        pytest.param("{% include '/etc/passwd' %}", "include", id="other files"),
        pytest.param("{% import 'os' as os %}", "import", id="imports"),
        pytest.param("{% extends 'x' %}", "extends", id="inheritance"),
        pytest.param("{{ cycler }}", "不认识变量「cycler」", id="what Jinja2 brings along"),
        pytest.param("{{ range(3) }}", "只能用 还有几天", id="other functions"),
        pytest.param("{{ 还有几天(群名) }}", "请写成 还有几天('双十二')", id="a function of a variable"),
        pytest.param("{{ 还有几天(*群名) }}", "请写成", id="arguments unpacked"),
        pytest.param("{{ (还有几天)('双十二')() }}", "只能用 还有几天", id="the answer called"),
        pytest.param("{{ self }}", "不认识变量「self」", id="the template itself"),
        pytest.param("{{ [群名] }}", "列表", id="lists"),
        pytest.param("{{" + "(" * 3000 + "1" + ")" * 3000 + "}}", "太复杂", id="nested without end"),
        pytest.param("{{" + "not " * 3000 + "1}}", "太复杂", id="negated without end"),
        pytest.param("{% if 1 %}" * 300 + "{% endif %}" * 300, "太复杂", id="ifs in ifs"),
        pytest.param("{{群名}}" * 1000, "太复杂", id="a thousand variables"),
        pytest.param("好" * (MOST_SOURCE + 1), "太长", id="a text that is a book"),
    ],
)
def test_hostile_texts_are_refused_when_they_are_read(source: str, says: str) -> None:
    """Attributes, loops, huge output: refused before anything runs, in Chinese."""
    with pytest.raises(TemplateError) as refused:
        compiled(source)
    assert says in str(refused.value)


def test_what_gets_past_the_reader_cannot_get_out_of_the_sandbox() -> None:
    """The second lock: attributes and indexes are refused at run time as well, and nothing of Jinja2's is there."""
    from rules.template import _SANDBOX

    assert _SANDBOX.globals == {}
    for source in ("{{ x.real }}", "{{ x['real'] }}"):
        with pytest.raises(Exception, match="not for templates"):
            _SANDBOX.from_string(source).render(x=1)


@pytest.mark.parametrize(
    ("source", "line", "says"),
    [
        ("好\n{{群}}", 2, "您是不是想写「群名」"),
        ("{{grup}}", 1, "您是不是想写「group」"),
        ("一\n二\n{{群名}", 3, "两层花括号要配对"),
        ("{% if 月 == 1 %}好", 1, "没有写完"),
        ("好\n{% unless 月 %}", 2, "只能用 if"),
    ],
)
def test_mistakes_name_their_line(source: str, line: int, says: str) -> None:
    """With a guess where there is one."""
    with pytest.raises(TemplateError) as refused:
        compiled(source)
    assert (refused.value.line, says in str(refused.value)) == (line, True)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("好\n{{还有几天('春节')}}", "不知道「春节」是哪一天"),
        ("{{还有几天('昨天')}}", "已经过去 1 天"),
        ("{{群名 + 1}}", "变量填不进去"),
        ("{{群名 < 1}}", "变量填不进去"),
    ],
)
def test_what_only_shows_when_it_is_filled_in(source: str, says: str) -> None:
    """Told as well, never sent half filled."""
    with pytest.raises(TemplateError) as refused:
        said(source)
    assert says in str(refused.value)


def test_bytes_are_counted_after_the_variables_are_filled_in() -> None:
    """The limit is the platform's: bytes of UTF-8 of what is sent."""
    assert len(said("好" * 1332 + "{{年}}").encode()) == 4000
    with pytest.raises(TemplateError, match="填好变量以后有 4,003 字节"):
        said("好" * 1333 + "{{年}}")


def test_what_a_text_asks_for_is_known_beforehand() -> None:
    """So that it can be told which texts differ from group to group."""
    assert compiled("{{group}} {{星期}}").variables == {"群名", "星期"}
    assert compiled("{{还有几天('双十二')}}").variables == frozenset()


@settings(deadline=None)  # the machine may be busy
@given(st.text(alphabet=st.sampled_from("{}%'\"()[].|+-*~ \n#群名日1ifendforsetx_"), max_size=60))
def test_any_text_is_rendered_or_refused(source: str) -> None:
    """Nothing a manager types ends in another error, or in more than the limit."""
    assert re.search("[\u4e00-\u9fff]", refusal(source)) or len(said(source).encode()) <= 4000


def test_every_variable_can_be_used() -> None:
    """In Chinese, whatever it is."""
    assert said("".join(f"{{{{{name}}}}}" for name in VARIABLES)) == "".join(str(GIVEN[name]) for name in VARIABLES)
