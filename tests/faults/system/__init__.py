"""The whole system under crashes, races, repetitions and hostile input."""
