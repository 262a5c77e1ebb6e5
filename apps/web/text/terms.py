"""Danish for what systems call their channels; a term that is missing is shown in English."""

DANISH_TERMS = {
    # systems
    "District-heating network: hydraulics and dynamic heat transport of trees and loops": (
        "Fjernvarmenet: hydraulik og dynamisk varmetransport i forgrenede net og ringnet"
    ),
    "Mixed hot-water tank with an electric heater": "Opblandet varmtvandsbeholder med elpatron",
    "Hot-water tank in layers, charged and discharged through its top": (
        "Lagdelt varmtvandstank, der fyldes og tømmes i toppen"
    ),
    "Heat plant: heat pump, boilers, CHP, solar field and a tank in layers": (
        "Varmeværk: varmepumpe, kedler, kraftvarme, solfelt og en lagdelt tank"
    ),
    # names
    "heat network": "fjernvarmenet",
    "tank": "beholder",
    "heat plant": "varmeværk",
    "stratified tank": "lagdelt tank",
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
    "Flow into the top of the tank; negative: out of it": (
        "Flow ind i tankens top; negativ: ud af den"
    ),
    "Water that leaves the plant": "Vand fra værket",
    "Water that comes back": "Vand tilbage til værket",
    "Temperature of a layer at the end of the step": "Et lags temperatur ved skridtslut",
    "Water that left the tank": "Vand fra tanken",
    "Heat into the tank": "Varme ind i tanken",
    "Heat lost by the tank": "Tankens varmetab",
    "Load of a mode; those of a unit add up to its load": (
        "Last af en driftsform; en enheds driftsformer lægges sammen"
    ),
    "Outdoor temperature": "Udetemperatur",
    "Share of a unit that can be had": "Andel af en enhed, der er til rådighed",
    "Sun on the plane of the collectors": "Sol på solfangernes plan",
    "Source of heat pumps other than the air": "Varmepumpers kilde ud over luften",
    "Heat of a unit": "En enheds varme",
    "Power a unit makes; negative: draws": "En enheds elproduktion; negativ: forbrug",
    "Fuel a unit burns": "En enheds brændsel",
    "Power bought less sold": "Købt el minus solgt",
    "Heat not delivered": "Manglende varme",
    "Heat that nobody takes": "Varme, som ingen aftager",
}
