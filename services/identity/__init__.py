"""Who is an elector: the roll, the security answers, lockouts, standing, double-vote cases."""
