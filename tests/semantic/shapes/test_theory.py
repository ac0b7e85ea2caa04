"""Theories: what equations between sizes and axes come to, which contradict each other, and which say nothing."""

from __future__ import annotations

import pytest

from infonce_lint.semantic.graph.values import Value
from infonce_lint.semantic.shapes.dims import WORLD, ZERO, Dim, Origin, number, symbol
from infonce_lint.semantic.shapes.domain import Frame, Site
from infonce_lint.semantic.shapes.facts import Fact, Relation
from infonce_lint.semantic.shapes.theory import Theory

SIZE = symbol(Origin.SIZE, "args.batch_size")
OTHER_SIZE = symbol(Origin.SIZE, "cfg.bs")
ROWS = symbol(Origin.AXIS, "z")
FIRST, SECOND = symbol(Origin.AXIS, "z_i"), symbol(Origin.AXIS, "z_j")
COLUMNS = symbol(Origin.AXIS, "z", 1)
VIEWS = symbol(Origin.NAMED, "args.n_views")
RANKS = symbol(Origin.WORLD, WORLD)
COUNT = symbol(Origin.UNKNOWN, "mask")
TWO = number(2)
SOMEWHERE = Site(Value.__new__(Value), Frame.__new__(Frame))


def fact(left: Dim, right: Dim, relation: Relation = Relation.EQUAL) -> Fact:
    """Two dimensions that stand in a relation; where does not matter here."""
    return Fact(relation, left, right, SOMEWHERE)


def theory(*equations: tuple[Dim, Dim]) -> Theory:
    """The theory of some equations."""
    return Theory(fact(left, right) for left, right in equations)


class TestSolving:
    def test_an_axis_in_terms_of_the_size(self) -> None:
        assert theory((TWO * SIZE, ROWS)).of(ROWS) == TWO * SIZE

    def test_what_no_fact_names_stays_as_it_is(self) -> None:
        assert theory((TWO * SIZE, ROWS)).of(COLUMNS * ROWS) == TWO * SIZE * COLUMNS

    def test_two_towers_are_known_together_and_not_apart(self) -> None:
        known = theory((FIRST + SECOND, TWO * SIZE))
        assert known.of(FIRST + SECOND) == TWO * SIZE
        assert known.of(FIRST) != SIZE and known.of(SECOND) != SIZE

    @pytest.mark.parametrize("turned", [False, True])
    def test_a_second_fact_tells_the_towers_apart(self, turned: bool) -> None:
        equations = [(FIRST + SECOND, TWO * SIZE), (FIRST, SECOND)]
        known = theory(*(reversed(equations) if turned else equations))
        assert known.of(FIRST) == known.of(SECOND) == SIZE

    def test_an_axis_through_another_one(self) -> None:
        assert theory((COUNT, ROWS), (COUNT, VIEWS * SIZE)).of(ROWS) == VIEWS * SIZE

    def test_a_number_of_views_that_another_fact_gives(self) -> None:
        known = theory((VIEWS * SIZE, ROWS), (VIEWS, TWO))
        assert known.of(ROWS) == TWO * SIZE

    def test_the_number_of_processes_cancels(self) -> None:
        assert theory((RANKS * ROWS, TWO * RANKS * SIZE)).of(ROWS) == TWO * SIZE

    def test_a_factor_of_two_axes_cancels(self) -> None:
        known = theory((ROWS * COLUMNS, SIZE * COLUMNS))
        assert known.of(ROWS * COLUMNS) == known.of(SIZE * COLUMNS)
        assert not known.conflicts

    def test_what_is_not_followed_is_solved_before_an_axis(self) -> None:
        known = theory((COUNT, ROWS - SIZE))
        assert known.of(COUNT) == ROWS - SIZE
        assert known.of(ROWS) == ROWS

    def test_two_sizes_that_must_agree(self) -> None:
        assert theory((SIZE, OTHER_SIZE)).of(SIZE - OTHER_SIZE) == ZERO

    def test_a_size_alone_is_no_unknown(self) -> None:
        known = theory((ROWS, TWO * SIZE))
        assert known.of(SIZE) == SIZE

    def test_facts_are_used_in_any_order(self) -> None:
        # the squares say something only when the second fact has told one side
        known = theory((FIRST * FIRST, SECOND * SECOND), (FIRST, SECOND))
        assert known.of(FIRST - SECOND) == ZERO
        assert not known.open and not known.conflicts


class TestConflicts:
    @pytest.mark.parametrize(
        ("left", "right"),
        [
            (ROWS, TWO * SIZE),  # while the rows are the size
            (SIZE, number(8)),  # a size would be a certain number
            (number(2), number(4)),
            (SIZE + OTHER_SIZE, ZERO),
        ],
    )
    def test_what_cannot_hold(self, left: Dim, right: Dim) -> None:
        known = theory((ROWS, SIZE), (left, right))
        assert [(each.left, each.right) for each in known.conflicts] == [(left, right)]
        assert known.of(ROWS) == SIZE

    def test_two_sizes_may_agree(self) -> None:
        assert not theory((ROWS, SIZE), (ROWS, OTHER_SIZE)).conflicts

    def test_a_batch_beside_a_bank_is_no_conflict(self) -> None:
        assert not theory((ROWS, SIZE), (FIRST, SIZE + VIEWS)).conflicts


class TestOtherFacts:
    @pytest.mark.parametrize("relation", [Relation.KEPT, Relation.CUT, Relation.SCALE])
    def test_only_equations_are_solved(self, relation: Relation) -> None:
        known = Theory([fact(ROWS, TWO * SIZE, relation)])
        assert known.of(ROWS) == ROWS
        assert not known.conflicts and not known.open and not known.used

    def test_an_equation_that_is_not_linear_stays_open(self) -> None:
        known = theory((ROWS * ROWS, SIZE))
        assert [each.left for each in known.open] == [ROWS * ROWS]
        assert not known.solved

    def test_a_fact_that_says_nothing_new_is_not_evidence(self) -> None:
        known = theory((ROWS, SIZE), (TWO * ROWS, TWO * SIZE), (ROWS, SIZE))
        assert [each.left for each in known.used] == [ROWS]
