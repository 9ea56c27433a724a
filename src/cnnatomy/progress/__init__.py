"""While jobs run: how far they are and how long they still take, on a terminal, line by line, on a page that grows."""
