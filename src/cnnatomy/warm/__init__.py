"""Jobs without their imports: on one machine, steps are forked from a process that has the libraries loaded.

Importing costs a step two to four seconds of processor time (torch, pandas, matplotlib), a training ten more with
Lightning: of a report's hundred jobs a third of the work. `client` is what a step does first. It asks the process that
`server` is, by the address in CNNATOMY_WARM, to fork a child with the step's own arguments, folder and standard
streams; it passes signals on to the child and ends as that ends. Without that address, in another environment than the
workflow's, or with other threads, a step runs as it is. What it computes and writes is the same.
"""
