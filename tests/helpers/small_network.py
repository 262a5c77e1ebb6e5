"""A small heat network as table files: one source, two consumers, a loop in the supply."""

from pathlib import Path

FILES = {
    "junctions.csv": (
        "name,elevation_m\nJ0,10\nJ1,12\nJ2,11\nR0,10\nR1,12\nR2,11\n"
    ),
    "pipes.csv": (
        "name,from_junction,to_junction,length_m,inner_diameter_m,loss_w_per_mk\n"
        "P1,J0,J1,100,0.1,0.3\nP2,J1,J2,80,0.08,0.25\nP3,J0,J2,150,0.08,0.25\n"
        "Q1,R1,R0,100,0.1,0.3\nQ2,R2,R1,80,0.08,0.25\n"
    ),
    "consumers.csv": (
        "name,from_junction,to_junction,heat_w,return_degc\nA,J1,R1,50000,40\nB,J2,R2,80000,45\n"
    ),
    "sources.csv": (
        "name,supply_junction,return_junction,supply_degc,supply_bar,lift_bar\n"
        "Plant,J0,R0,80,6,2\n"
    ),
}  # fmt: skip


def write_small(folder: Path, **changed: str | bytes | None) -> Path:
    """The files in `folder`; `pipes="…"` replaces the text of `pipes.csv`, None leaves it out."""
    folder.mkdir(parents=True, exist_ok=True)
    contents: dict[str, str | bytes | None] = {**FILES}
    contents |= {f"{kind}.csv": text for kind, text in changed.items()}
    for name, text in contents.items():
        if text is not None:
            raw = text.encode() if isinstance(text, str) else text
            (folder / name).write_bytes(raw)
    return folder


def edited(kind: str, old: str, new: str) -> str:
    """The text of one file with `old` replaced by `new`, once."""
    text = FILES[f"{kind}.csv"]
    assert old in text
    return text.replace(old, new, 1)
