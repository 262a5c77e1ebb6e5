from .heat.network import read_network as read_network
from .power_grid.reader import read_power_net as read_power_net
