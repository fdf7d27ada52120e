"""The demonstration: a whole federation on one machine, and a story told with it.

cast          who takes part, from config/demo, and what is in their books
processes     the processes, each started and stopped here
federation    founding, joining, loading and running, with the same verbs as an operator
pictures      the photos that the story needs
teller        what is said on the screen and kept for `--json`
rendering     tables
stage         what every chapter works with
finding, answering, evidence    the chapters
story         the chapters in their order
keeping       how to go on with a federation that is left running
"""
