"""The joint loss: how the losses of the heads become one."""
