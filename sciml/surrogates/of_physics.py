"""What every learned stand-in for a system has from the physics that it stands in for."""

from typing import Any

from jaxtyping import Array, Float

from tvilling.sciml.core.system import Channel, Values


class OfPhysics:
    """Channels, first state and energy as in `physics`, the system that is stood in for."""

    physics: Any

    @property
    def actions(self) -> tuple[Channel, ...]:
        """What a controller may set, as in the physics."""
        return self.physics.actions

    @property
    def drives(self) -> tuple[Channel, ...]:
        """What the plant cannot choose, as in the physics."""
        return self.physics.drives

    @property
    def outputs(self) -> tuple[Channel, ...]:
        """What comes out of a step, as in the physics."""
        return self.physics.outputs

    def init(self, key: Array) -> Any:
        """A state to start from, as in the physics."""
        return self.physics.init(key)

    def stored_j(self, state: Any) -> Float[Array, ""]:
        """Energy held in `state` [J], as in the physics."""
        return self.physics.stored_j(state)

    def net_power_w(self, action: Values, drive: Values, output: Values) -> Float[Array, ""]:
        """Power entering less leaving [W] by the outputs given; what is learnt balances roughly."""
        return self.physics.net_power_w(action, drive, output)
