"""A grid of two buses in CIM CGMES 2.4.15, after IEC 61970-552: a network, a cable and a mill."""

from pathlib import Path

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns:cim="http://iec.ch/TC57/2013/CIM-schema-cim16#"
 xmlns:md="http://iec.ch/TC57/61970-552/ModelDescription/1#">
"""
PROFILES = {
    "EQ": "EquipmentCore/3/1",
    "SSH": "SteadyStateHypothesis/1/1",
    "TP": "Topology/4/1",
    "SV": "StateVariables/4/1",
}
KINDS = "http://iec.ch/TC57/2013/CIM-schema-cim16#"


def thing(kind: str, name: str, about: bool = False, **members: object) -> str:
    """An object; a member that begins with # refers to another, one of http to a word of CIM."""
    where = f'rdf:about="#_{name}"' if about else f'rdf:ID="_{name}"'
    lines = [f"<cim:{kind} {where}>"]
    if not about:
        lines.append(f"<cim:IdentifiedObject.name>{name}</cim:IdentifiedObject.name>")
    for key, value in members.items():
        tag, text = key.replace("__", "."), str(value)
        if text.startswith("#"):
            lines.append(f'<cim:{tag} rdf:resource="#_{text[1:]}"/>')
        elif text.startswith("http"):
            lines.append(f'<cim:{tag} rdf:resource="{text}"/>')
        else:
            lines.append(f"<cim:{tag}>{text}</cim:{tag}>")
    return "".join(lines) + f"</cim:{kind}>\n"


TERMINALS = {"at_grid": ("grid", "n1", 1), "at_mill": ("mill", "n2", 1),
             "from": ("cable", "n1", 1), "to": ("cable", "n2", 2)}  # fmt: skip
PARTS = {
    "EQ": [
        thing("GeographicalRegion", "region"),
        thing("SubGeographicalRegion", "area", SubGeographicalRegion__Region="#region"),
        thing("Substation", "station", Substation__Region="#area"),
        thing("BaseVoltage", "kv20", BaseVoltage__nominalVoltage=20),
        thing("VoltageLevel", "level", VoltageLevel__Substation="#station",
              VoltageLevel__BaseVoltage="#kv20"),
        thing("ExternalNetworkInjection", "grid", Equipment__EquipmentContainer="#level",
              RegulatingCondEq__RegulatingControl="#control",
              ExternalNetworkInjection__governorSCD=0,
              ExternalNetworkInjection__maxP=100, ExternalNetworkInjection__minP=-100,
              ExternalNetworkInjection__maxQ=100, ExternalNetworkInjection__minQ=-100),
        thing("RegulatingControl", "control", RegulatingControl__Terminal="#at_grid",
              RegulatingControl__mode=KINDS + "RegulatingControlModeKind.voltage"),
        thing("EnergyConsumer", "mill", Equipment__EquipmentContainer="#level"),
        thing("ACLineSegment", "cable", ConductingEquipment__BaseVoltage="#kv20",
              Conductor__length=5, ACLineSegment__r=2.0, ACLineSegment__x=1.5,
              ACLineSegment__bch=0.0001, ACLineSegment__gch=0),
        *(thing("Terminal", name, Terminal__ConductingEquipment=f"#{equipment}",
                ACDCTerminal__sequenceNumber=number)
          for name, (equipment, _, number) in TERMINALS.items()),
    ],
    "TP": [
        *(thing("TopologicalNode", name, TopologicalNode__BaseVoltage="#kv20",
                TopologicalNode__ConnectivityNodeContainer="#level") for name in ("n1", "n2")),
        *(thing("Terminal", name, about=True, Terminal__TopologicalNode=f"#{node}")
          for name, (_, node, _) in TERMINALS.items()),
    ],
    "SSH": [
        *(thing("Terminal", name, about=True, ACDCTerminal__connected="true")
          for name in TERMINALS),
        thing("EnergyConsumer", "mill", about=True, EnergyConsumer__p=3, EnergyConsumer__q=1),
        thing("ExternalNetworkInjection", "grid", about=True,
              RegulatingCondEq__controlEnabled="true", ExternalNetworkInjection__p=-3,
              ExternalNetworkInjection__q=-1, ExternalNetworkInjection__referencePriority=1),
        thing("RegulatingControl", "control", about=True,
              RegulatingControl__targetValueUnitMultiplier=KINDS + "UnitMultiplier.k",
              RegulatingControl__discrete="false", RegulatingControl__enabled="true",
              RegulatingControl__targetValue=20.4),
    ],
    "SV": [
        thing("SvVoltage", "v1", SvVoltage__TopologicalNode="#n1", SvVoltage__v=20.4,
              SvVoltage__angle=0),
    ],
}  # fmt: skip


def write_tiny_cim(folder: Path) -> Path:
    """One file a profile, in `folder`, which is made."""
    folder.mkdir()
    for name, things in PARTS.items():
        model = (
            f'<md:FullModel rdf:about="urn:uuid:{name}"><md:Model.profile>'
            f"http://entsoe.eu/CIM/{PROFILES[name]}</md:Model.profile></md:FullModel>\n"
        )
        text = HEAD + model + "".join(things) + "</rdf:RDF>\n"
        (folder / f"tiny_{name}.xml").write_text(text, encoding="utf-8")
    return folder
