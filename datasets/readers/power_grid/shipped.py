"""Networks that ship inside pandapower, by the name of the function that makes each.

`case118`, or with options behind a question mark: `create_cigre_network_mv?with_der=all`. Options
are separated by commas, since `&` stands in values. A function that returns several networks
takes the further option `part`, counted from 0.
"""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tvilling.datasets.readers.power_grid.labels import listening, told
from tvilling.sciml.core.errors import InputError

if TYPE_CHECKING:
    from pandapower import pandapowerNet

SHIPPED = "pandapower:"
PACKAGE = "pandapower.networks."
NO_NETWORKS = {"sorted_from_json", "create_dickert_lv_feeders"}  # public there, yet only helpers
WORDS = {"True": True, "False": False, "None": None}
DICKERT = {
    ("short", "cable"): ("single", "multiple"),
    ("middle", "cable"): ("multiple",),
    ("middle", "C&OHL"): ("multiple",),
    ("long", "cable"): ("multiple",),
    ("long", "C&OHL"): ("multiple",),
}  # customers of the feeders that its table holds, by range and type of line
VARIANTS = {
    "create_cigre_network_mv": ("with_der=pv_wind", "with_der=all"),
    "create_dickert_lv_network": tuple(
        f"feeders_range={reach},linetype={line},customer={customer},case={case}"
        for (reach, line), customers in DICKERT.items()
        for customer in customers
        for case in ("good", "average", "bad")
        if (reach, customer, case) != ("short", "single", "good")  # these are the defaults
    ),
    "create_synthetic_voltage_control_lv_network": tuple(
        f"network_class={name}" for name in ("rural_2", "village_1", "village_2", "suburb_1")
    ),
    "ieee_european_lv_asymmetric": ("scenario=off_peak_1", "scenario=off_peak_1440"),
    "lv_schutterwald": (
        "include_heat_pumps=True",
        *(f"separation_by_sub=True,part={part}" for part in range(14)),
    ),
    "mv_oberrhein": (
        "scenario=generation",
        "include_substations=True",
        "separation_by_sub=True,part=0",
        "separation_by_sub=True,part=1",
    ),
}  # beside each function's own defaults


def shipped_networks() -> tuple[str, ...]:
    """Every network that ships inside pandapower, as `read_power_net` takes it.

    Functions that make several networks stand here once for each of them. Parameters without a
    list of values of their own, such as lengths, keep their defaults.
    """
    names = []
    for name in sorted(_functions()):
        names += [name, *(f"{name}?{variant}" for variant in VARIANTS.get(name, ()))]
    return tuple(SHIPPED + name for name in names)


def load_shipped(source: str) -> tuple["pandapowerNet", list[str]]:
    """The network that `source` names, and what pandapower said about it.

    Raises
    ------
    InputError
        pandapower has no such network, or does not take these options.
    """
    name, _, text = source.removeprefix(SHIPPED).partition("?")
    functions = _functions()
    if name not in functions:
        known = ", ".join(sorted(functions))
        raise InputError(source, [f"pandapower has no network {name!r}; known are {known}"])
    options = _options(source, text, functions[name])
    part = options.pop("part", None)
    try:
        with listening() as heard:
            made = functions[name](**options)
    except Exception as fault:  # whatever an unfit option makes pandapower raise
        reason = " ".join(str(fault).split())
        raise InputError(source, [f"pandapower cannot make it ({reason})"]) from fault
    return _one(source, made, part), told(heard)


def _functions() -> dict[str, Callable[..., Any]]:
    """The functions that make a network, and those files of cases that have no function."""
    with listening():
        import pandapower.networks

    functions: dict[str, Callable[..., Any]] = {
        name: function
        for name, function in inspect.getmembers(pandapower.networks, inspect.isfunction)
        if function.__module__.startswith(PACKAGE)
        and not name.startswith("_")
        and name not in NO_NETWORKS
    }
    cases = Path(pandapower.networks.__file__).parent / "power_system_test_case_jsons"
    for file in cases.glob("*.json"):
        functions.setdefault(file.stem, _from_file(file))
    return functions


def _from_file(file: Path) -> Callable[[], Any]:
    def load() -> Any:
        import pandapower

        return pandapower.from_json(str(file))

    return load


def _options(source: str, text: str, function: Callable[..., Any]) -> dict[str, Any]:
    known = [
        name
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    if "separation_by_sub" in known:
        known.append("part")
    options: dict[str, Any] = {}
    faults = []
    for item in filter(None, text.split(",")):
        name, equals, value = (word.strip() for word in item.partition("="))
        if not equals or name not in known:
            listed = ", ".join(known) or "none"
            faults.append(f"option {item!r} is not known; known are {listed}, as name=value")
        elif name in options:
            faults.append(f"option {name} stands twice")
        options[name] = _value(value)
    if faults:
        raise InputError(source, faults)
    return options


def _value(text: str) -> bool | float | str | None:
    if text in WORDS:
        return WORDS[text]
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


def _one(source: str, made: Any, part: Any) -> "pandapowerNet":
    """The network, or the wanted one of several."""
    if not isinstance(made, tuple | list):
        if part is not None:
            raise InputError(source, ["it is one network, expected no option part"])
        return made
    if not isinstance(part, int) or not 0 <= part < len(made):
        last = len(made) - 1
        raise InputError(source, [f"these are {len(made)} networks; choose by part=0 to {last}"])
    return made[part]
