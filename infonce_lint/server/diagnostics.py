"""Findings as the protocol's diagnostics."""

from __future__ import annotations

from lsprotocol import types

from infonce_lint.engine.linter import PARSE_ERROR
from infonce_lint.finding import Finding, Span
from infonce_lint.server.analysis import Analysis
from infonce_lint.server.positions import TextPositions

SOURCE = "infonce-lint"


class Diagnoses:
    """Diagnostics of one analysis.

    Args:
        related: whether the client shows related places.
    """

    def __init__(self, analysis: Analysis, encoding: types.PositionEncodingKind, *, related: bool) -> None:
        self._analysis = analysis
        self._encoding = encoding
        self._related = related
        self._positions: dict[str, TextPositions] = {}

    def of_part(self, uri: str) -> list[types.Diagnostic]:
        """Those that start in one text or cell, in the order of their places."""
        return [self.diagnostic(each.placed) for each in self._analysis.of_part(uri)]

    def diagnostic(self, finding: Finding) -> types.Diagnostic:
        """One (placed) finding: an error if the file cannot be read, else a warning."""
        unreadable = finding.code == PARSE_ERROR
        return types.Diagnostic(
            range=self.location(finding.span).range,
            message=finding.text,
            severity=types.DiagnosticSeverity.Error if unreadable else types.DiagnosticSeverity.Warning,
            code=finding.code,
            source=SOURCE,
            related_information=[
                types.DiagnosticRelatedInformation(location=self.location(place.span), message=place.message)
                for place in finding.related
            ]
            if self._related and finding.related
            else None,
        )

    def location(self, span: Span) -> types.Location:
        """Where a span of a placed finding is, part and range."""
        part = self._analysis.part(span)
        if part.uri not in self._positions:
            self._positions[part.uri] = TextPositions(part.text, self._encoding)
        return types.Location(uri=part.uri, range=self._positions[part.uri].to_range(span))
