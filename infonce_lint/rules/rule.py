"""The contract of a rule: a code, a name, a page of documentation, and a check that reads the loss model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from inspect import cleandoc, getdoc
from typing import ClassVar

from infonce_lint.finding import Finding, Related, Span
from infonce_lint.semantic.graph.values import Value
from infonce_lint.semantic.losses.model import ContrastiveLoss, Purpose, SizeUse
from infonce_lint.sources.source import SourceFile

ROW = 90
"""Columns of a message."""


class Rule(ABC):
    """One kind of finding. The docstring of a subclass is its page of documentation (`explain`, README, SARIF).

    A rule answers for the configured sizes of one ``purpose``; no two answer for the same.
    """

    code: ClassVar[str]
    name: ClassVar[str]
    purpose: ClassVar[Purpose]

    @property
    def doc(self) -> str:
        """The rule's page, in Markdown; it begins with the summary."""
        return cleandoc(getdoc(type(self)) or "")

    @property
    def summary(self) -> str:
        """The first line of the page."""
        return self.doc.partition("\n")[0]

    @abstractmethod
    def message(self, use: SizeUse) -> str:
        """What a use of the size does, and what comes of it: a row's end, behind the size as the code reads it."""

    def check(self, loss: ContrastiveLoss, source: SourceFile) -> Iterator[Finding]:
        """The findings of this rule in one loss: one for each read of a configured size that serves its purpose."""
        for use in loss.size_uses:
            if use.purpose is self.purpose:
                yield self._finding(loss, use, source)

    def _finding(self, loss: ContrastiveLoss, use: SizeUse, source: SourceFile) -> Finding:
        """A finding on the read of a configured size, with the places that it flows into."""
        span = span_of(use.read, source)
        related: dict[Span, Related] = {}
        for each in use.engagements:
            place = span_of(each.sink.value, source)
            if place != span:
                related.setdefault(place, Related(place, f"sizes {each.kind.value} here"))
            if each.frozen is not None and each.frozen.node is not None:
                place = span_of(each.frozen, source)
                related.setdefault(place, Related(place, "the stored tensor is read here"))
            if each.consumer is not each.sink.value and each.consumer.node is not None:
                place = span_of(each.consumer, source)
                related.setdefault(place, Related(place, "and meets the similarity here"))
        return Finding(
            self.code,
            _in_a_row(use.text, self.message(use)),
            span,
            tuple(sorted(related.values(), key=lambda each: each.span)),
            unit=loss.number,
            origin=loss.model.origins.story(use.read),
        )


def _in_a_row(text: str, said: str) -> str:
    """A message of at most `ROW` columns: of a long path, the end is shown."""
    room = ROW - len(said) - len("`` ")
    shown = text if len(text) <= room else f"...{text[3 - room :]}"
    return f"`{shown}` {said}"


def span_of(value: Value, source: SourceFile) -> Span:
    """Where a value's expression stands."""
    assert value.node is not None, "values without a place are never reported"
    return source.span(value.node, value.statement)
