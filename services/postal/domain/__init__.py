"""The rules of `postal`, pure: values in, decision out; time and randomness are arguments."""
