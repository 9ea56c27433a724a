"""What can be seen inside a network: one module per method, one public function of the same name in it.

Methods are pure: a network and samples in, an exhibit out. `layers` finds layers and reads what they hold, `showing`
turns arrays into pictures, `plotting` turns numbers into charts.
"""
