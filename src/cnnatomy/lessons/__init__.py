"""How a convolutional network works, by hand: one package per lesson.

`measure` takes the settings (conf/lesson/), and where its YAML names `data` that dataset's test samples too, and works
everything out; `show` makes pictures of it. `cells` draws small tables of numbers as SVG.
"""
