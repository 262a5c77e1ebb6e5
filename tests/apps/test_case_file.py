import copy
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tvilling.apps.heat.case import Case
from tvilling.apps.plant.case import PlantCase
from tvilling.apps.shared.case_file import read_case
from tvilling.sciml.core.errors import InputError

SHIPPED = Path(__file__).parents[2] / "cases"
CASE = yaml.safe_load((SHIPPED / "schutterwald_week.yaml").read_text(encoding="utf-8"))


def faults_of(tmp_path, text, overrides=()):
    path = tmp_path / "case.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError) as error:
        read_case(path, overrides)
    return error.value.faults


def changed(path, value):
    case = copy.deepcopy(CASE)
    *parents, last = path.split(".")
    block = case
    for parent in parents:
        block = block[parent]
    block[last] = value
    return yaml.safe_dump(case, sort_keys=False)


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_case_that_ships_is_good(path):
    if yaml.safe_load(path.read_text(encoding="utf-8"))["system"] == "heat_plant":
        assert read_case(path, (), PlantCase).plant.units
    else:
        assert read_case(path).controllers


@pytest.mark.parametrize(
    ("name", "model", "told"),
    [
        ("plan_tomorrow", Case, "system is 'heat_plant', expected 'heat_network'; `tvilling plan`"),
        ("schutterwald_week", PlantCase, "expected 'heat_plant'; `tvilling run` takes it"),
    ],
)
def test_a_case_of_another_system_is_told_as_that(name, model, told):
    with pytest.raises(InputError) as error:
        read_case(SHIPPED / f"{name}.yaml", (), model)
    (fault,) = error.value.faults
    assert told in fault


def test_an_override_is_typed_as_yaml():
    path = SHIPPED / "schutterwald_week.yaml"
    other = read_case(
        path, ["horizon.hours=24", "sizing=null", "controllers.constant.supply_degc=75"]
    )
    assert other.horizon.steps == 96
    assert other.sizing is None
    assert other.controllers["constant"].supply_degc == 75.0


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("system", "heat_netwrok", "system is 'heat_netwrok', expected 'heat_network'"),
        ("network.return_degc", 350, "network.return_degc is 350, expected 5 to 90 °C"),
        ("network.return_degc", "hot", "network.return_degc is 'hot', expected 5 to 90 °C"),
        ("network.min_dp_bar", -1, "network.min_dp_bar is -1, expected 0 to 10 bar"),
        ("network.sourec", "x", "network.sourec is not known; known are source, return_degc"),
        ("sizing.series", 4, "sizing.series is 4, expected 1, 2 or 3"),
        ("sizing.return_degc", 79, "sizing: supply_degc is 80 °C, expected at least 5 K above"),
        ("demand.seed", -3, "demand.seed is -3, expected 0 to 2147483647"),
        ("demand.seed", 1.5, "demand.seed is 1.5, expected 0 to 2147483647"),
        ("demand.kind", "measured", "demand.kind is 'measured', expected 'stock', 'network'"),
        ("weather", None, "weather is blank, expected fields below it"),
        ("model", {"rounds": 2}, "model.rounds is 2, expected 3 to 50"),
        ("model", {"rounds": 51}, "model.rounds is 51, expected 3 to 50"),
        ("horizon.start", "tomorrow", "horizon.start is 'tomorrow', expected a time such as"),
        ("horizon.start", "0001-01-01T00:00", "expected 1950 to 2150"),
        ("horizon.hours", float("nan"), "horizon.hours is nan, expected 0.25 to 8784 h"),
        ("horizon.step_min", 0, "horizon.step_min is 0, expected 0.5 to 240 min"),
        ("horizon.step_min", 11, "horizon: hours is 168 h, expected a whole number of steps"),
        ("controllers", {}, "controllers is {}, expected 1 to 6 entries"),
        ("controllers.constant.supply_degc", 8000, "is 8000, expected 30 to 140 °C"),
        ("controllers.weather_compensated.cold_degc", 20, "expected below warm_degc, 15 °C"),
        ("controllers.constant", {}, "controllers.constant.kind is missing"),
        ("outputs", {"variables": "all"}, "outputs.variables is 'all', expected a list"),
    ],
)  # fmt: skip
def test_one_bad_field_gives_one_fault_with_its_range_and_line(tmp_path, field, value, told):
    (fault,) = faults_of(tmp_path, changed(field, value))
    assert told in fault
    assert fault.startswith("line ")


@pytest.mark.parametrize("field", ["system", "network", "demand", "horizon", "controllers"])
def test_a_missing_block_is_named(tmp_path, field):
    text = yaml.safe_dump({key: value for key, value in CASE.items() if key != field})
    assert faults_of(tmp_path, text) == (f"{field} is missing",)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty"),
        (b"\xff\xfe\x00title: x", "save it as plain text in UTF-8"),
        ("a: [1, 2", "line 1: expected ',' or ']'"),
        ("- a\n- b\n", "expected a mapping"),
        ("a: &x 1\nb: *x\n", "holds a YAML alias"),
        ("a: 1\na: 2\n", "line 2: a stands twice"),
        (
            "a: !!python/object/apply:os.system [ls]\n",
            "line 1: the tag tag:yaml.org,2002:python",
        ),
        ("a: 1\n---\nb: 2\n", "line 2: a second document begins"),
        ("a: {b: &c 1, <<: {d: 2}}\n", "line 1: holds a YAML merge key"),
        ("a: " + "[" * 40 + "]" * 40, "line 1: more than 32 levels"),
        ("title: x\n" * 200_000, "is 2 MB, expected at most 1 MB"),
    ],
)
def test_a_file_that_is_no_case_gives_one_fault(tmp_path, text, told):
    (fault,) = faults_of(tmp_path, text)
    assert told in fault


def test_a_folder_in_place_of_a_case_is_told(tmp_path):
    with pytest.raises(InputError, match="is a folder, expected a file"):
        read_case(tmp_path)


def test_every_fault_is_told_at_once_and_overrides_are_named(tmp_path):
    text = changed("horizon.hours", -1)
    overrides = ["demand.seed=x", "nonsense", "model.cells.deep=1", "extra.key=2"]
    faults = faults_of(tmp_path, text, overrides)
    assert len(faults) == 5
    told = "\n".join(faults)
    assert "--set demand.seed=x: demand.seed is 'x', expected 0 to" in told
    assert "--set nonsense: expected key=value" in told
    assert "--set model.cells.deep=1: model.cells has no fields" in told
    assert "--set extra.key=2: extra is not known" in told
    assert "horizon.hours is -1" in told


def test_the_model_is_built_as_the_case_says_and_else_with_the_defaults_of_the_network():
    from tvilling.apps.heat.case import Model
    from tvilling.sciml.systems.heat_network.builder import Options

    options = Options()
    for name in ("cells", "rounds", "friction", "pump_efficiency"):
        assert getattr(Model(), name) == getattr(options, name), name


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from([*CASE, "kind", "stock", "hold", "constant", "x"]), inner, max_size=4),
    max_leaves=12,
))  # fmt: skip
def test_no_case_however_odd_gives_anything_but_an_input_error(tmp_path_factory, raw):
    path = tmp_path_factory.mktemp("odd") / "case.yaml"
    path.write_text(yaml.safe_dump(raw), encoding="utf-8")
    with pytest.raises(InputError):
        read_case(path)
