"""Danish for what systems call their channels; a term that is missing is shown in English."""

DANISH_TERMS = {
    # systems
    "District-heating network: hydraulics and dynamic heat transport of trees and loops": (
        "Fjernvarmenet: hydraulik og dynamisk varmetransport i forgrenede net og ringnet"
    ),
    "Mixed hot-water tank with an electric heater": "Opblandet varmtvandsbeholder med elpatron",
    # names
    "heat network": "fjernvarmenet",
    "tank": "beholder",
    # channels
    "Supply temperature": "Fremløbstemperatur",
    "Return temperature": "Returtemperatur",
    "Heat demand": "Varmebehov",
    "Temperature of the ground": "Jordtemperatur",
    "Temperature": "Temperatur",
    "Gauge pressure": "Overtryk",
    "Flow along the pipe": "Flow i ledningen",
    "Heat lost to the ground": "Varmetab til jorden",
    "Heat lost to the ground by all pipes": "Samlet varmetab til jorden",
    "Flow, with bypass": "Flow inkl. omløb",
    "Inlet temperature": "Indløbstemperatur",
    "Outlet temperature": "Afgangstemperatur",
    "Differential pressure": "Differenstryk",
    "Heat delivered": "Leveret varme",
    "Flow sent out": "Flow fra værket",
    "Heat put in": "Tilført varme",
    "Lift of the pump": "Pumpens løftetryk",
    "Electric power of the pump": "Pumpens eleffekt",
    "Heat taken by exchangers in the line": "Varme aftaget af vekslere i ledningen",
    "Heat that injections bring in": "Varme tilført ved indpumpning",
    "Heater power": "Elpatronens effekt",
    "Heat wanted": "Ønsket varme",
    "Temperature around the tank": "Temperatur omkring beholderen",
    "Water temperature at the end of the step": "Vandtemperatur ved skridtslut",
    "Heat drawn": "Aftappet varme",
    "Heater power used": "Elpatronens faktiske effekt",
    "Heat lost to the room": "Varmetab til rummet",
}
