"""The steps: one thin Hydra script a rule, of the same name as the rule. They may import everything, and do it late."""
