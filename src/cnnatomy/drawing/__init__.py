"""How things are drawn: samples and numbers as pixels and charts that follow the page's theme."""
