"""The operator's own machine: the only place where a report becomes readable."""
