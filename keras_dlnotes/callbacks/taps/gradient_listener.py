"""Who listens to the taps of a model, see ``gradient_taps``: by default to nothing."""

from keras_dlnotes.callbacks.taps import gradient_taps


class Listener:
    """Hears of each step of one model's optimizers while it is attached.

    It may be attached again in a later fit, with all that was traced before, as long as it `suits`.

    Args:
        model: The model.
        *wishes: Whatever decides what the listener leaves in a trace.
    """

    #: Its variables that ride among the optimizer's, by name.
    variables = {}

    def __init__(self, model, *wishes):
        self.model, self.wishes = model, wishes
        #: The listeners beside this one, the first, and what was traced with all of them.
        self.traces = (), {}
        #: What tells one fit from another.
        self.fit = None
        self._own_step = self._trained = None

    @classmethod
    def for_fit(cls, last, model, *wishes, on_detach):
        """The listener of the last fit, if its traces can be used once more, or a new one."""
        if last is None or not last.suits(model, *wishes):
            return cls(model, *wishes, on_detach)
        last.again()
        return last

    def again(self):
        """Whatever it holds of another fit goes."""

    def begin(self):
        """It is attached, and listens to a new `fit`."""
        self._own_step = gradient_taps.own_step(self.model)
        self.fit = object()
        return self.fit

    def settle(self):
        """All variables exist, and the first step comes."""
        self._trained = self.model.trainable_variables

    def suits(self, model, *wishes):
        """Whether its traces are those that another fit needs."""
        if model is not self.model or wishes != self.wishes or self._trained is None:
            return False
        before, now = self._trained, model.trainable_variables
        trained = len(before) == len(now) and all(map(lambda a, b: a is b, before, now))
        return trained and gradient_taps.own_step(model) is self._own_step

    def choose(self, call):
        """What this call of the train function is to leave, hashable; None: the call is over."""
        return None

    def before(self, optimizer, variables, gradients):
        """Gradients before the clip; returns a note that the next two are given."""
        return None

    def clipped(self, gradients, clipped, note, outside=False):
        """Right after the clip; `outside` if another one than the optimizer's came before it."""

    def after(self, optimizer, variables, gradients, note):
        """The update is done."""

    def applied(self):
        """A step of the whole optimizer is over."""

    def skipped(self):
        """A loss scale has thrown the step away."""

    def skipped_stateless(self, variables, values):
        """The same on JAX, where it returns the optimizer's new values."""
        return values

    def detached(self):
        """It hears no more."""
