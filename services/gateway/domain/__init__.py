"""What the gateway knows without asking: pure values, time is an argument."""
