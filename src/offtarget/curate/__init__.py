"""What is in a fine-tuning data set: framing, risk and decisions for each sample."""
