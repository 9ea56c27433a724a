"""What a network is made of and what happens in it: layers, what their units see, what they hold for a sample.

Nothing here draws; dissections, lessons and the evaluation are made of it.
"""
