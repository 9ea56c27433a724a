"""What can be seen inside a network: one module per method, one public function of the same name in it.

Methods are pure: a network and samples in, an exhibit out. What several of them share has a package of its own:
`feature_visualisation` (inputs that excite units), `saliency` (maps of what counted), `changed` (samples changed along
a gradient), `patching` (real patches); what is not about pictures of learned
things is in `cnnatomy.inspection`, `cnnatomy.drawing` and `cnnatomy.statistics`.
"""
