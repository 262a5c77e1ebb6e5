"""Messages that a user sees."""

import pickle

import pytest

from tvilling.sciml.core.errors import InputError


def test_every_fault_stands_on_its_own_line():
    error = InputError("pipes.csv", ["row 2: length_m is -5 m", "row 7: no name"])
    assert str(error) == "pipes.csv: 2 faults\n  - row 2: length_m is -5 m\n  - row 7: no name"
    assert error.faults == ("row 2: length_m is -5 m", "row 7: no name")
    assert error.source == "pipes.csv"


def test_one_fault_is_singular():
    assert str(InputError("case.yaml", ["empty"])).startswith("case.yaml: 1 fault\n")


def test_is_a_value_error_so_that_pydantic_collects_it():
    with pytest.raises(ValueError, match="empty"):
        raise InputError("case.yaml", ["empty"])


def test_comes_back_whole_from_another_process():
    error = pickle.loads(pickle.dumps(InputError("case.yaml", ["empty", "late"])))
    assert (error.source, error.faults) == ("case.yaml", ("empty", "late"))
    assert "2 faults" in str(error)
