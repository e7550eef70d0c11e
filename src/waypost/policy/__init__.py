"""Rules, the plan that measures what they need, and the decision that wins."""
