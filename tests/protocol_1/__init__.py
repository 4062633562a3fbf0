"""Protocol version 1 as programs in the field speak it: a frozen copy, never edited.

It stands in for an old console, laptop agent or peer, so that tests show that today's server still serves them.
"""
