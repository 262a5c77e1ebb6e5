"""Work behind `tvilling pinn …`: train, evaluate and invert the problems of the library."""
