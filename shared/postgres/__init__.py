"""The connection to a service's own database, and the tables that the consumer keeps there."""
