"""Rule `links`: which addresses are seen in a text, and which of them may be sent."""

from typing import Any

import pytest
from pydantic import ValidationError

from rules.addresses import Address, addresses
from rules.links import Links


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        pytest.param("看看taobao.com吧", ["taobao.com"], id="bare, among Chinese"),
        pytest.param("https://Shop.Brand.com:443/x?a=b#c 好", ["shop.brand.com"], id="whole address"),
        pytest.param("https://brand.com@bad.com/", ["bad.com"], id="a name before @ is not where it leads"),
        pytest.param("http://bad.zzz，来", ["bad.zzz"], id="with its scheme any ending"),
        pytest.param("http://1.2.3.4/a", ["1.2.3.4"], id="a number with its scheme"),
        pytest.param("www.bad.com和x.bad.cn", ["bad.com", "x.bad.cn"], id="two"),
        pytest.param("https://shop.brand.中国/", ["shop.brand.中国"], id="Chinese ending only"),
        pytest.param("ｗｗｗ．ｂａｄ．ｃｏｍ", ["bad.com"], id="full width"),
        pytest.param("bad。com", ["bad.com"], id="Chinese full stop"),
        pytest.param("b\u200bad.com", ["bad.com"], id="zero width"),
        pytest.param("https://例子.中国/路", ["例子.中国"], id="Chinese domain"),
        pytest.param("https://例子.公司吧", ["例子.公司"], id="Chinese domain, glued"),
        pytest.param("http://bad.com吧", ["bad.com"], id="glued"),
        pytest.param("xn--fsqu00a.xn--fiqs8s", ["例子.中国"], id="punycode"),
        pytest.param("http://xn--99999999.com", ["xn--99999999.com"], id="broken punycode"),
        pytest.param("打3.5折，v1.2版，共9.9元", [], id="numbers"),
        pytest.param("我到了。你呢。VIP。Me too", [], id="sentences"),
        pytest.param("邮箱 li@brand.com", [], id="e-mail"),
        pytest.param("file.txt a.b 3.com", ["3.com"], id="files"),
        pytest.param("", [], id="nothing"),
    ],
)
def test_what_is_an_address(text: str, hosts: list[str]) -> None:
    """Addresses as people write them are found and compared in one form; what only has a dot is none."""
    assert [each.host for each in addresses(text)] == hosts


def test_mini_programs_are_addresses() -> None:
    """With their name where it is told."""
    found = list(addresses("#小程序://好店/AbC 和 #小程序"))
    assert found == [Address("好店", "#小程序://好店", mini_program=True), Address("", "#小程序", mini_program=True)]


@pytest.mark.parametrize(
    ("settings", "text", "hit"),
    [
        ({}, "bad.com", "bad.com"),
        ({"allow": "brand.com"}, "shop.Brand.com/x", ""),
        ({"allow": "brand.com"}, "notbrand.com", "notbrand.com"),
        ({"allow": "brand.com"}, "brand.com.bad.cn", "brand.com.bad.cn"),
        ({"allow": "brand.com"}, "brand.com 和 bad.com", "bad.com"),
        ({"allow": "brand.com", "deny": ["all", "ads.brand.com"]}, "x.ads.brand.com", "x.ads.brand.com"),
        ({"deny": "bad.com"}, "other.com", ""),
        ({"deny": "https://www.Bad.com/page"}, "m.bad.com", "m.bad.com"),
        ({"deny": "*.bad.com"}, "m.bad.com", "m.bad.com"),
        ({"deny": "例子.中国"}, "请看例子.中国吧", "例子.中国"),
        ({"deny": "xn--fsqu00a.xn--fiqs8s"}, "http://例子.中国", "http://例子.中国"),
        ({"deny": "小程序"}, "#小程序://好店/x", "#小程序://好店"),
        ({"deny": "全部", "allow": "小程序"}, "#小程序://好店/x", ""),
        ({"deny": "bad.com"}, "#小程序://好店/x", ""),
        ({}, "你好", ""),
    ],
)
def test_the_longest_name_decides(about_message: Any, settings: dict[str, Any], text: str, hit: str) -> None:
    """A domain speaks for those under it, a longer one outweighs it, and `all` is the shortest of all."""
    decision = about_message({"rule": "links", **settings}, text)
    assert (decision.verdict, decision.evidence) == ("hit" if hit else "miss", hit)
    assert hit in decision.because


@pytest.mark.parametrize(
    ("settings", "type_", "text", "verdict"),
    [
        ({}, "weapp", "好店", "hit"),
        ({}, "miniprogram", "", "hit"),
        ({"allow": "小程序"}, "weapp", "好店", "miss"),
        ({"deny": "bad.com"}, "weapp", "好店", "miss"),
        ({}, "link", "标题 说明", "hit"),
        ({"deny": "bad.com"}, "link", "标题 说明", "miss"),
        ({"allow": "brand.com"}, "link", "标题 https://brand.com/x", "miss"),
        ({}, "image", "", "miss"),
    ],
)
def test_messages_that_are_links_themselves(
    about_message: Any, settings: dict[str, Any], type_: str, text: str, verdict: str
) -> None:
    """A mini-program or a link is one by the type of its message, whatever its text shows."""
    assert about_message({"rule": "links", **settings}, text, type=type_).verdict == verdict


@pytest.mark.parametrize("name", ["坏网站", "com", "", "bad .com", "bad..com"])
def test_what_is_no_domain_is_refused(name: str) -> None:
    """A list with something else in it would silently let it pass."""
    with pytest.raises(ValidationError, match="不是网址的域名"):
        Links.model_validate({"rule": "links", "deny": ["ok.com", name]})
