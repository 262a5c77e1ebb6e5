"""Faulty network files, and what the message on each has to name."""

from small_network import FILES, edited

PIPES, CONSUMERS, SOURCES = FILES["pipes.csv"], FILES["consumers.csv"], FILES["sources.csv"]

# What is broken: files that differ from the small network -> what the message has to name.
BROKEN: dict[str, tuple[dict[str, str | bytes | None], tuple[str, ...]]] = {
    "negative length": (
        {"pipes": edited("pipes", "P1,J0,J1,100", "P1,J0,J1,-100")},
        ("pipes.csv, row 2 (P1): length_m is -100 m, expected 0 to 100000 m",),
    ),
    "diameter in millimetres": (
        {"pipes": edited("pipes", "100,0.1,0.3", "100,107.1,0.3")},
        ("row 2 (P1): inner_diameter_m is 107.1 m, expected 0.001 to 3 m",),
    ),
    "temperature in kelvin": (
        {"sources": edited("sources", "R0,80", "R0,353.15")},
        ("sources.csv, row 2 (Plant): supply_degc is 353.15 °C, expected 0 to 200 °C",),
    ),
    "pressure in pascal": (
        {"sources": edited("sources", "80,6,2", "80,600000,200000")},
        ("supply_bar is 600000 bar", "lift_bar is 200000 bar, expected 0 to 100 bar"),
    ),
    "number with its unit": (
        {"pipes": edited("pipes", "100,0.1,0.3", "100 m,0.1,0.3")},
        ("row 2 (P1): length_m is '100 m', expected a number [m]",),
    ),
    "missing column": (
        {"pipes": PIPES.replace("length_m", "length")},
        ("column length_m [m] is missing", "column length is not known"),
    ),
    "unknown column": (
        {"junctions": FILES["junctions.csv"].replace("elevation_m", "height_m")},
        ("junctions.csv: column height_m is not known; known are name, elevation_m, x, y",),
    ),
    "column twice": (
        {"pipes": PIPES.replace("loss_w_per_mk", "length_m")},
        ("pipes.csv: column length_m stands more than once",),
    ),
    "column without a name": (
        {"pipes": PIPES.replace("length_m", "")},
        ("pipes.csv: column 4 has no name", "column length_m [m] is missing"),
    ),
    "NaN where a value is needed": (
        {"pipes": edited("pipes", "100,0.1,0.3", "NaN,0.1,0.3")},
        ("row 2 (P1): length_m has no value",),
    ),
    "infinite": (
        {"pipes": edited("pipes", "100,0.1,0.3", "inf,0.1,0.3")},
        ("row 2 (P1): length_m is inf m",),
    ),
    "no name": (
        {"pipes": edited("pipes", "P2,J1", ",J1")},
        ("pipes.csv, row 3: name has no value",),
    ),
    "name twice": (
        {"pipes": edited("pipes", "P2,J1", "P1,J1")},
        ("pipes.csv: name P1 stands 2 times; names must be unique",),
    ),
    "dangling pipe": (
        {"pipes": edited("pipes", "P2,J1,J2", "P2,J1,J9")},
        ("pipes.csv, row 3 (P2): to_junction J9 is not in junctions.csv",),
    ),
    "pipe from a junction to itself": (
        {"pipes": edited("pipes", "P2,J1,J2", "P2,J1,J1")},
        ("pipes.csv, row 3 (P2): both ends are junction J1",),
    ),
    "two sources at one junction": (
        {"sources": SOURCES + "Boiler,J0,R1,85,6,2\n"},
        ("sources.csv: Plant, Boiler feed the same junction J0",),
    ),
    "no source": (
        {"sources": SOURCES.split("\n")[0] + "\n"},
        ("sources.csv: the network has no source",),
    ),
    "source without lift or flow": (
        {"sources": edited("sources", "80,6,2", "80,6,")},
        ("sources.csv, row 2 (Plant): set one of lift_bar and flow_kg_per_s",),
    ),
    "disconnected consumer": (
        {
            "junctions": FILES["junctions.csv"] + "J7,9\nR7,9\n",
            "consumers": CONSUMERS + "C,J7,R7,10000,40\n",
        },
        ("2 junctions have no path to a source: J7, R7", "consumer C has no path from a source"),
    ),
    "consumer the wrong way round": (
        {"consumers": edited("consumers", "A,J1,R1", "A,R1,J1")},
        ("consumer A has supply and return exchanged",),
    ),
    "consumer overdetermined": (
        {
            "consumers": "name,from_junction,to_junction,heat_w,return_degc,cooling_k\n"
            "A,J1,R1,50000,40,35\n"
        },
        ("consumers.csv, row 2 (A): has heat_w and return_degc and cooling_k set, expected",),
    ),
    "consumer underdetermined": (
        {"consumers": edited("consumers", "50000,40", "50000,")},
        ("consumers.csv, row 2 (A): has heat_w set, expected heat_w with one of",),
    ),
    "least flow above the greatest": (
        {
            "consumers": "name,from_junction,to_junction,heat_w,return_degc,min_flow_kg_per_s,"
            "max_flow_kg_per_s\nA,J1,R1,50000,40,2,1\n"
        },
        ("min_flow_kg_per_s is 2 kg/s, above max_flow_kg_per_s 1 kg/s",),
    ),
    "valve neither open nor closed": (
        {
            "valves": "name,from_junction,to_junction,inner_diameter_m,is_open\n"
            "V,J0,J1,0.1,half\n"
        },
        ("valves.csv, row 2 (V): is_open is 'half', expected true or false",),
    ),
    "half a coordinate": (
        {"junctions": "name,x,y\nJ0,1,\nJ1,,\nJ2,,\nR0,,\nR1,,\nR2,,\n"},
        ("junctions.csv, row 2 (J0): only one of x and y is given",),
    ),
    "missing file": ({"sources": None}, ("sources.csv: no such file",)),
    "empty file": ({"pipes": ""}, ("pipes.csv: is empty",)),
    "not UTF-8": (
        {"junctions": FILES["junctions.csv"].replace("J1,", "Ørsted,").encode("latin-1")},
        ("junctions.csv: is not UTF-8 (line 3)",),
    ),
    "UTF-16": ({"pipes": PIPES.encode("utf-16")}, ("pipes.csv: is not UTF-8",)),
    "unknown file": ({"pipe": PIPES}, ("pipe.csv: is not known",)),
    "row too short": (
        {"pipes": edited("pipes", "P2,J1,J2,80,0.08,0.25", "P2,J1,J2,80")},
        ("pipes.csv, row 3: 4 cells, expected 6", "row 3 (P2): inner_diameter_m has no value"),
    ),
    "row too long": (
        {"pipes": edited("pipes", "P2,J1,J2,80,0.08,0.25", "P2,J1,J2,80,0.08,0.25,1")},
        ("pipes.csv, row 3: 7 cells, expected 6",),
    ),
    "open quote": (
        {"pipes": edited("pipes", "P2,J1", '"P2,J1')},
        ("pipes.csv: cannot be read as a table",),
    ),
    "decimal comma between commas": (
        {"pipes": edited("pipes", "100,0.1,0.3", "100,0,1,0.3")},
        ("pipes.csv, row 2: 7 cells, expected 6",),
    ),
    "faults in every file": (
        {
            "junctions": edited("junctions", "J1,12", "J1,9999"),
            "pipes": edited("pipes", "P1,J0,J1,100", "P1,J0,J8,-1"),
            "consumers": edited("consumers", "80000,45", "-80000,450"),
            "sources": edited("sources", "R0,80", "R5,hot"),
        },
        (
            "7 faults",
            "return_junction R5 is not in junctions.csv",
            "junctions.csv, row 3 (J1): elevation_m is 9999 m",
            "pipes.csv, row 2 (P1): length_m is -1 m",
            "to_junction J8 is not in junctions.csv",
            "consumers.csv, row 3 (B): heat_w is -80000 W",
            "return_degc is 450 °C",
            "supply_degc is 'hot', expected a number",
        ),
    ),
}  # fmt: skip
