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
    "Ambient temperature": "Omgivelsestemperatur",
    "Water temperature": "Vandtemperatur",
    "Heat drawn": "Aftappet varme",
    "Heater power used": "Elpatronens faktiske effekt",
    "Heat lost to the room": "Varmetab til rummet",
    "Flow into the top of the tank (negative: out)": "Flow ind i tankens top (negativ: ud)",
    "Supply temperature of the plant": "Værkets fremløbstemperatur",
    "Return temperature of the plant": "Værkets returtemperatur",
    "Temperature of each layer": "Temperatur i hvert lag",
    "Temperature of the water from the tank": "Temperatur af vandet fra tanken",
    "Heat into the tank": "Varme ind i tanken",
    "Heat lost by the tank": "Tankens varmetab",
    "Load of each operating mode": "Last i hver driftsform",
    "Outdoor temperature": "Udetemperatur",
    "Availability of each unit": "Rådighed for hver enhed",
    "Irradiance on the collectors": "Solindstråling på solfangerne",
    "Source of heat pumps other than the air": "Varmepumpers kilde ud over luften",
    "Heat of each unit": "Varme fra hver enhed",
    "Net electric power of each unit": "Nettoeleffekt fra hver enhed",
    "Fuel of each unit": "Brændsel til hver enhed",
    "Electricity bought less sold": "Købt el minus solgt",
    "Heat not delivered": "Manglende varme",
    "Surplus heat": "Overskudsvarme",
    "Heat missing in the balance": "Varme, der mangler i balancen",
    # power grid
    "AC power grid: voltages, loadings and losses of every set-point and load": (
        "Elnet med vekselstrøm: spændinger, belastninger og tab ved ethvert sætpunkt og forbrug"
    ),
    "power grid": "elnet",
    "Active power of machines": "Maskinernes aktive effekt",
    "Voltage that machines hold": "Spænding, som maskinerne holder",
    "Voltage of the supply": "Forsyningens spænding",
    "Power into storage": "Effekt til lagre",
    "Active power of loads": "Forbrugernes aktive effekt",
    "Reactive power of loads": "Forbrugernes reaktive effekt",
    "Active power fed in": "Indfødet aktiv effekt",
    "Reactive power fed in": "Indfødet reaktiv effekt",
    "Voltage magnitude": "Spænding",
    "Voltage angle": "Spændingens vinkel",
    "Loading of lines by current": "Ledningsbelastning efter strøm",
    "Loading of transformers by current": "Transformerbelastning efter strøm",
    "Active power from the supply": "Aktiv effekt fra forsyningen",
    "Reactive power from the supply": "Reaktiv effekt fra forsyningen",
    "Losses of branches and shunts": "Tab i ledninger, transformere og shunte",
    # what it means to leave a limit
    "pressure below vacuum at": "tryk under vakuum ved",
    "water above its boiling point at": "vand over kogepunktet ved",
    "water below freezing at": "vand under frysepunktet ved",
    "colder than the return that is stated of": "koldere end det oplyste returløb hos",
    "water runs backwards through": "vandet løber baglæns gennem",
    "heat that is missing,": "varme, der mangler,",
    "an injection brings in water of no stated temperature at": (
        "en indpumpning tilfører vand uden oplyst temperatur ved"
    ),
}
