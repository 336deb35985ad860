"""The rules of an election's course, pure: values in, decision out; time is an argument."""
