from .heat.network_case import make_controller as make_controller
from .heat.network_case import prepare as prepare
from .heat.run import simulate_case as simulate_case
from .plant.report.table import as_facts as as_facts
from .plant.report.table import ways_table as ways_table
from .shared.case_file import read_case as read_case
