from .apps.heat.run import simulate_case as simulate_case
from .apps.shared.case_file import read_case as read_case
from .datasets.readers.heat.network import read_network as read_network
from .datasets.readers.power_grid.reader import read_power_net as read_power_net
from .datasets.registry import load as load
from .rl_control.control.evaluate import compare as compare
from .rl_control.rl.env import Environment as Environment
from .sciml.core.errors import InputError as InputError
from .sciml.core.results import label as label
from .sciml.core.results import run as run
from .sciml.core.scenario import Scenario as Scenario
from .sciml.core.simulate import Trajectory as Trajectory
from .sciml.core.simulate import simulate as simulate
from .sciml.core.simulate import simulate_many as simulate_many
from .sciml.core.system import Channel as Channel
from .sciml.core.system import System as System
from .sciml.surrogates.training import train_surrogate as train_surrogate
from .sciml.systems.registry import SYSTEMS as SYSTEMS
from .twins.twin import Twin as Twin

__version__: str
