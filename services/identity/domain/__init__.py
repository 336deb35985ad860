"""The rules of `identity`, pure: values in, decisions out; time and randomness are arguments."""
