"""What is measured of the data themselves: what is reached without a network, how new the test's voices are."""
