"""The live evaluation: a locked plan, rollouts and judgements through the store, results."""
