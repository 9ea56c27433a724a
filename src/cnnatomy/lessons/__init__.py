"""How a convolutional network works, by hand: one module per lesson, one public function of the same name in it.

A lesson takes its settings (conf/lesson/) and returns an exhibit; where its YAML names `data`, it is also given that
dataset's test samples. `cells` draws small tables of numbers as SVG.
"""
