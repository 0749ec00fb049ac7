"""Refused at one figure, accepted again at a lower one; told once each way."""

from __future__ import annotations

import os
import resource

import pytest
import structlog

from bridge.errors import Unavailable
from bridge.live.admission import Admission, Strain
from bridge.live.descriptors import used_descriptors


class Figure:
    """Something that is used more and less."""

    def __init__(self) -> None:
        self.used = 0.0

    def __call__(self) -> float:
        return self.used


def strain(figure: Figure, reason: str = "journal_full") -> Strain:
    return Strain(reason=reason, told="No room.", read=figure, refuse_at=0.9, accept_at=0.7)


def test_there_is_room_until_a_figure_is_reached_and_again_below_a_lower_one() -> None:
    figure = Figure()
    admission = Admission([strain(figure)])
    seen = []
    for used in (0.0, 0.89, 0.9, 0.8, 0.95, 0.71, 0.7, 0.69, 0.89, 0.9):
        figure.used = used
        seen.append(admission.strain() is None)
    assert seen == [True, True, False, False, False, False, False, True, True, False]


def test_whoever_is_refused_is_told_why_and_when_to_try_again() -> None:
    figure, other = Figure(), Figure()
    admission = Admission([strain(figure, "descriptors"), strain(other)])
    admission.check()
    other.used = 1.0
    with pytest.raises(Unavailable, match="No room") as refused:
        admission.check()
    assert (refused.value.reason, refused.value.status) == ("journal_full", 503)
    assert refused.value.retry_after == 5


def test_a_change_is_logged_and_nothing_else() -> None:
    figure = Figure()
    admission = Admission([strain(figure)])
    with structlog.testing.capture_logs() as lines:
        for used in (0.5, 0.95, 0.97, 0.95, 0.1, 0.2):
            figure.used = used
            admission.strain()
    assert [(line["event"], line["used"]) for line in lines] == [
        ("admission_closed", 0.95),
        ("admission_opened", 0.1),
    ]


def test_one_more_descriptor_is_counted() -> None:
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    before = used_descriptors()
    with open(os.devnull, "rb"):
        assert round((used_descriptors() - before) * most) == 1
    assert used_descriptors() == before


def test_when_no_descriptor_is_left_to_look_with_all_are_used() -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert 0 < used_descriptors() < 1
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))  # those that are open stay open
    try:
        assert used_descriptors() >= 1
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
