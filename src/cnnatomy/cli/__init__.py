"""The command `cnnatomy`: what people do with the workflow, a word each; it calls what make and the steps call."""
