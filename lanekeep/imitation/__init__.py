"""Imitation: behaviour cloning on sequences, with DAgger rounds labelled by the expert.

Loss, as in the NCP paper (Lechner et al. 2020, Methods):  sum w (y - y*)^2 / sum w  with  w = exp(alpha |y*|), so that
bends count as much as the straights that outnumber them; y in action units.

Sequences: each row of a batch follows one drive through `segments` consecutive windows of `length` frames with its state
carried (detached) from one to the next, then jumps to another place with the initial state.  Truncated BPTT, but the
driver also learns from states that a long drive brings about.

Data: first the expert drives, disturbed; then, every `dagger_every` updates, the driver drives and the expert answers
(DAgger, Ross et al. 2011, with the mixture at 0 from the first round on).  Given demonstrations, recorded before by the
expert or by a person, take the place of the expert's, and DAgger is off unless asked for, as only the expert could answer.

Every random choice is a function of the seed and the update's number, so that a resumed training equals an uninterrupted
one.
"""
