"""Rule `keywords`: adverts, contact details, whatever a list of words tells. Texts and words are normalised first."""

from datetime import timedelta
from typing import Literal, Self

from pydantic import model_validator

from rules.decision import Decision
from rules.events import MessagePosted
from rules.facts import MessageFacts
from rules.rule import CoolDown, MostADay, Rule, Then
from rules.words import HasWords


class Keywords(HasWords, Rule[MessagePosted, MessageFacts]):
    """发了不该发的词：广告、拉人、留联系方式。"""

    about = (MessagePosted,)

    rule: Literal["keywords"]
    then: Then = ("warn", "warn", "remove")
    cool_down: CoolDown = timedelta(minutes=10)
    most_a_day: MostADay = 50

    @model_validator(mode="after")
    def _has_words(self) -> Self:
        if not self.words and not self.word_files:
            raise ValueError("没有写要找哪些词：words 和 word_files 至少写一样")
        return self

    def judge(self, event: MessagePosted, facts: MessageFacts) -> Decision:
        found = self.word_list.find(facts.text, facts.plain)
        if found is None:
            return self.miss(facts, f"没有词库里的词（共 {len(self.word_list)} 个）")
        return self.hit(facts, f"消息里有{found.says}", evidence=found.written, offence=event.msgid)
