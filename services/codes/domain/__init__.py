"""The rules of `codes`, pure: values in, decision out; time and randomness are arguments."""
