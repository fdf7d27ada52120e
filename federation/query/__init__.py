"""What may be asked and answered: values and rules."""
