"""Floor 5. compile, fit, evaluate and predict: the recorded steps, the loops that replay them, and what watches.

The way from `model.fit(x, y)` to the loop in C, each hop a file and what to read in it:

    fastnn/training/trainer.py:fit                  looks at the arguments, opens the data, calls the loop
    fastnn/feeding/opening.py:open_source           arrays or batches; what is wrong with them is said here
    fastnn/feeding/arguments.py:adapt               x, y and weights become named arrays that fit model and loss
    fastnn/training/loop.py:fit                     epochs: many in one go, or one with Python between slices
    fastnn/training/passes.py:run                   asks the source what the next steps run on, and has them run
    fastnn/training/steps.py:run                    a step: recorded where it is new, else replayed
    fastnn/training/steps.py:train                  the step itself in Python: batch, forward, loss, gradients, update
    fastnn/engine/function.py:_record               runs that Python once and keeps the calls that it makes
    fastnn/ops/_op.py:__call__                      each op checks shapes, runs its kernel and adds a call
    fastnn/engine/gradient.py:backward              the gradients: the calls backwards, by each op's rule
    fastnn/optimizers/optimizer.py:apply            the update: one call over all weights
    fastnn/engine/plan.py:plan                      drops what nobody needs, lays the buffers into one arena
    fastnn/engine/schedule.py:run                   so many runs of these programs; Ctrl-C between two of them
    fastnn/_engine_program.pxi:run                  lets go of Python's lock
    csrc/run/program.c:schedule_run                 the loop: every call of the list, one after the other
    csrc/kernels/dense.c:dense                      one of the calls
"""
