"""The wrapped methods on the optimizers of one model.

``fit`` hands the gradients to the optimizer, and what finally trains exists only inside it: after
the loss scale is divided out, the micro-batches are averaged, the clip is applied and the replicas
are summed. So three methods of each innermost optimizer are wrapped on the *instance*:

- ``_backend_apply_gradients(gradients, variables)``: which variables are coming;
- ``_clip_gradients(gradients)``: the gradients before and after the clip, the weights before;
- ``_backend_update_step(gradients, variables, rate)``: the weights after.
"""

import sys
import threading

import keras
from keras import ops

from keras_dlnotes._wrapped_optimizers import chain

#: Keras has it since 3.15; nothing is an instance of no class.
MULTI = getattr(keras.optimizers, "MultiOptimizer", ())


class ModelTaps:
    """The wrapped methods on all optimizers of one model."""

    def __init__(self, model, detach):
        self.listeners = []
        #: The train function as it was found, and the one that stands in its place.
        self.own_step, self.step = model.train_function, None
        self._replaced = []
        self._tapped = []
        self._replace(model, "make_train_function", self._notice_another_fit(model, detach))
        around = chain(model.optimizer)
        if keras.backend.backend() == "jax":
            for each in around:
                self._replace(each, "save_own_variables", self._without_passengers(around[-1]))
        self._tap_chain(around, alone=True)

    def restore(self):
        for thing, name, previous in reversed(self._replaced):
            if previous is None:
                thing.__dict__.pop(name, None)
            else:
                thing.__dict__[name] = previous
        self._replaced.clear()

    def _replace(self, thing, name, make):
        # Straight into the instance's dictionary: no tracking of attributes, no trace afterwards.
        self._replaced.append((thing, name, thing.__dict__.get(name)))
        thing.__dict__[name] = make(getattr(thing, name))

    def _notice_another_fit(self, model, detach):
        """A fit that begins while we still listen: the one we listened to has broken off."""

        def make(make_train_function):
            def watched_make(*args, **kwargs):
                if sys._getframe(1).f_code.co_name == "fit":
                    detach(model)
                return make_train_function(*args, **kwargs)

            return watched_make

        return make

    def _without_passengers(self, optimizer):
        """Files written during training hold what they would hold without us."""

        def make(save):
            def clean_save(store):
                everything = list(optimizer._variables)
                for listener in self.listeners:
                    variables = {id(v) for v in listener.variables.values()}
                    kept = [v for v in optimizer._variables if id(v) not in variables]
                    optimizer._variables[:] = kept
                try:
                    save(store)
                finally:
                    optimizer._variables[:] = everything

            return clean_save

        return make

    def _tap_chain(self, around, alone=False):
        *around, optimizer = around
        if any(optimizer is other for other in self._tapped):
            return
        self._tapped.append(optimizer)
        #: What a clip around the optimizer was given, by the variable's id.
        unclipped = threading.local()
        for each in around:
            if isinstance(each, keras.optimizers.LossScaleOptimizer):
                self._tap_loss_scale(each)
            elif hasattr(each, "before"):
                self._tap_clip(each, optimizer, unclipped)
        if isinstance(optimizer, MULTI):
            self._tap_group(optimizer)
        else:
            self._tap_leaf(optimizer, unclipped, alone)

    def _tap_clip(self, wrapper, leaf, unclipped):
        """A wrapper that hands on other gradients than it was given."""

        def make(before):
            def watched_before(gradients, variables):
                handed_on = before(gradients, variables)
                # Of accumulated gradients the leaf knows the mean, the wrapper only the last ones.
                if handed_on is not gradients and not leaf.gradient_accumulation_steps:
                    scale = wrapper.loss_scale_factor
                    if scale:
                        gradients = [g if g is None else ops.divide(g, scale) for g in gradients]
                    pairs = zip(variables, gradients, strict=True)
                    unclipped.gradients = {id(variable): g for variable, g in pairs}
                return handed_on

            return watched_before

        self._replace(wrapper, "before", make)

    def _tap_group(self, group):
        def make(apply):
            def watched_apply(gradients, trainable_variables=None):
                # With a callable map the members exist only after building.
                if not group.built and trainable_variables is not None:
                    group.build(list(trainable_variables))
                for member in group.optimizers:
                    self._tap_chain(chain(member))
                apply(gradients, trainable_variables)
                for listener in self.listeners:
                    listener.applied()

            return watched_apply

        for member in group.optimizers:
            self._tap_chain(chain(member))
        self._replace(group, "apply", make)

    def _tap_leaf(self, leaf, unclipped, alone):
        # Replicas of a mirrored model are traced in turn, each in a thread of its own.
        now = threading.local()

        def make_apply(apply):
            def watched_apply(gradients, trainable_variables):
                now.variables, now.notes = list(trainable_variables), None
                return apply(gradients, trainable_variables)

            return watched_apply

        def make_clip(clip):
            def watched_clip(gradients):
                known = unclipped.__dict__.pop("gradients", {})
                pairs = zip(now.variables, gradients, strict=True)
                raw = [known.get(id(variable), gradient) for variable, gradient in pairs]
                now.notes = self._before(leaf, now.variables, raw)
                clipped = clip(gradients)
                for listener, note in now.notes:
                    listener.clipped(raw, clipped, note, outside=bool(known))
                return clipped

            return watched_clip

        def make_reduce(reduce):
            def watched_reduce(gradients_and_variables):
                reduced = reduce(gradients_and_variables)
                # Where nothing was summed they may be some of the gradients only.
                now.reduced = None if reduced is gradients_and_variables else reduced
                return reduced

            return watched_reduce

        def make_update(update):
            def watched_update(gradients, trainable_variables, learning_rate):
                variables = list(trainable_variables)
                if getattr(now, "notes", None) is None:  # an optimizer without the usual clip
                    now.notes = self._before(leaf, variables, gradients)
                notes, now.notes, now.reduced = now.notes, None, None
                update(gradients, trainable_variables, learning_rate)
                if now.reduced is not None:
                    gradients = [gradient for gradient, _ in now.reduced]
                now.reduced = None
                for listener, note in notes:
                    listener.after(leaf, variables, list(gradients), note)
                    if alone:
                        listener.applied()

            return watched_update

        self._replace(leaf, "_backend_apply_gradients", make_apply)
        self._replace(leaf, "_clip_gradients", make_clip)
        self._replace(leaf, "_backend_update_step", make_update)
        if hasattr(leaf, "_all_reduce_sum_gradients"):  # TensorFlow: the sum over replicas
            self._replace(leaf, "_all_reduce_sum_gradients", make_reduce)

    def _before(self, leaf, variables, gradients):
        return [(each, each.before(leaf, variables, list(gradients))) for each in self.listeners]

    def _tap_loss_scale(self, optimizer):
        def make(skip):
            def watched_skip(*args):
                result = skip(*args)
                if not args:  # TensorFlow and torch: variables are assigned in place
                    for listener in self.listeners:
                        listener.skipped()
                    return result
                # JAX: the new values of the optimizer's variables come back as a list.
                trainable, values = result
                for listener in self.listeners:
                    values = listener.skipped_stateless(optimizer.variables, values)
                return trainable, values

            return watched_skip

        stateless = keras.backend.backend() == "jax"
        name = "_stateless" if stateless else "_stateful"
        self._replace(optimizer, f"{name}_handle_non_finite_grads", make)
