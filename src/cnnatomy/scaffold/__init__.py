"""From a folder or a table to a configuration: what lies there is looked at, said, and written as three small files.

`looking.py` tells the kind; `images.py`, `sounds.py`, `texts.py` and `signals.py` look at files of one kind, by the
same readers that `fetch` and `prepare` use; `writing.py` writes what they propose.
"""
