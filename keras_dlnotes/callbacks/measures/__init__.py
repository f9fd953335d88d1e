"""What is measured while a model trains: on the device, and how the host takes it in."""
