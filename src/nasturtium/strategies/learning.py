"""What strategies with a predictor share: what was told, and when and how the predictor learns it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Unpack

import numpy as np
from numpy.typing import NDArray

from nasturtium.errors import NasturtiumError, did_you_mean
from nasturtium.options import at_least
from nasturtium.strategies.acquisition import Guess
from nasturtium.strategies.base import Common, Losses, Strategy
from nasturtium.strategies.candidates import Ground
from nasturtium.strategies.known import Known
from nasturtium.strategies.learners import Learner, Maker, learner
from nasturtium.strategies.lessons import quantiles, taught, worths
from nasturtium.trial import Budget, Proposal, Trial, trial_seed

if TYPE_CHECKING:
    from nasturtium.space import Architecture, Space

Array = NDArray[Any]

FEWEST = 2
"""Fewer scores than this teach nothing."""


Lie = Callable[[Array], float]
LIES: dict[str, Lie | None] = {"none": None, "believer": None, "min": np.min, "mean": np.mean, "max": np.max}
"""What trials that still run are taken to score: nothing, what the predictor says, or a constant."""


class Told(NamedTuple):
    """An architecture and its losses."""

    losses: Losses
    architecture: Architecture


class Basis(NamedTuple):
    """What the predictor learns from: so many of what was told at a budget, and these trials that still ran."""

    size: int = 0
    running: tuple[int, ...] = ()
    level: Budget | None = None


class Learned(Common, total=False):
    """The options that every strategy with a predictor takes with the same default (see :class:`Learning`)."""

    encoding: str | None
    predictor_options: Mapping[str, Any] | None


class Learning(Strategy):
    """Base of strategies with a predictor: some random architectures first, then what the predictor leads to.

    A predictor learns the first objective as normal quantiles of ranks, more being better, from every complete trial
    with a finite score; acquisitions are in that unit. What breaks a limit is learned as a little worse than everything
    that keeps all, the more so the further it misses; architectures refused for their structure are among them. Other
    failures teach nothing. Given trials at several budgets it learns from the largest at which ``initial`` are known
    (as BOHB does, Falkner et al. 2018). A predictor whose cost grows much faster than what it learns from (a Gaussian
    process) is given no more than its ``most``, the best and the latest (see :func:`.lessons.taught`).

    The predictor is made anew and fitted when it is needed, from what was told when the last of ``every`` scores came;
    so it depends on the events and the seed alone.

    Args:
        predictor: A name in ``nasturtium.predictors.PREDICTORS``, or what makes a predictor, called with ``space`` and
            ``seed``.
        initial: How many random architectures are scored before the predictor leads, those that still run included.
        every: After how many new scores the predictor is fitted again.
        pending: What trials that still run are taken to score: ``"believer"`` (what the predictor says, kriging
            believer), ``"min"``, ``"mean"``, ``"max"`` (constant liar; Ginsbourger et al. 2010) or ``"none"``.
        encoding: What the predictor sees instead of its usual encoding, such as ``"one_hot"`` or ``"path"``.
        predictor_options: Further options of the predictor.
        **common: As in :class:`Strategy`.
    """

    climbs = True
    """Whether what is proposed is made of the best so far."""

    def __init__(
        self,
        space: Space,
        *,
        predictor: str | Maker,
        initial: int,
        every: int,
        pending: str = "believer",
        encoding: str | None = None,
        predictor_options: Mapping[str, Any] | None = None,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(space, **common)
        if pending not in LIES:
            raise NasturtiumError(
                f"option pending={pending!r}{did_you_mean(pending, LIES)} (there are: {', '.join(LIES)})"
            )
        self.predictor = predictor
        self.settings = {**(predictor_options or {}), **({} if encoding is None else {"encoding": encoding})}
        self.initial = at_least("initial", initial, FEWEST)
        self.every = at_least("every", every, 1)
        self.pending = pending
        self.told: list[Told] = []
        self.levels: dict[Budget, list[Told]] = {}
        self.running: dict[int, Architecture] = {}
        self.basis = Basis()
        self._made: dict[object, Any] = {}
        self._led = 0
        self._pool: tuple[tuple[Basis, int], Guess] | None = None
        self._believed: tuple[Architecture, ...] = ()
        readable(self.made(0), space)

    # -- events ------------------------------------------------------------------------------------------------------

    def asked(self, proposal: Proposal) -> None:
        """Takes note of what runs."""
        self.running[self.number] = proposal.architecture
        super().asked(proposal)
        self._renew()

    def tell(self, trial: Trial) -> None:
        """Takes note of what was learned."""
        self.running.pop(trial.number, None)
        self.learn(trial)
        self._renew()

    def went_on(self, trial: Trial) -> None:
        """Takes note of it likewise."""
        self.learn(trial)
        self._renew()

    def learn(self, trial: Trial) -> None:
        """Takes note of the losses at the trial's budget; what is told is that of one budget."""
        losses = self.judged(trial)
        if losses is None:
            return
        rows = self.levels.setdefault(trial.budget, [])
        rows.append(Told(losses, self.space.architecture(trial.architecture.decisions)))
        level = max((budget for budget, known in self.levels.items() if len(known) >= self.initial), default=None)
        chosen = self.levels[level] if level is not None else max(self.levels.values(), key=len)
        if chosen is not self.told:
            self.told, self.basis, self._pool = chosen, Basis(), None
            self._led = 1 + min(range(len(chosen)), key=lambda place: chosen[place].losses)
        elif rows is self.told and losses < self.told[self._led - 1].losses:
            self._led = len(self.told)

    def _renew(self) -> None:
        """Moves the basis where enough is new: scores, or trials that run; in the beginning with every event.

        Where nothing is taken of trials that run, it also moves when the ``initial`` scores are complete: until then
        several workers have the predictor lead by fewer.
        """
        new = len(self.told) - self.basis.size
        unseen = sum(number not in self.basis.running for number in self.running)
        beginning = len(self.told) + len(self.running) <= self.initial or self.basis.size < FEWEST
        complete = self.pending == "none" and self.basis.size < self.initial <= len(self.told)
        if beginning or complete or max(new, unseen) >= self.every:
            level = next((budget for budget, known in self.levels.items() if known is self.told), None)
            self.basis = Basis(len(self.told), tuple(self.running), level)
            self._believed = tuple(self.running.values())
            self._made = {}

    @property
    def ready(self) -> bool:
        """Whether the predictor leads by now."""
        return self.basis.size >= FEWEST and len(self.told) + len(self.running) >= self.initial

    # -- what is learned ---------------------------------------------------------------------------------------------

    def lesson(self) -> Array:
        """What is learned of the basis, (n,); more is better."""
        return quantiles(worths([each.losses for each in self.told[: self.basis.size]]))

    def fitted(self) -> Learner:
        """The predictor of the basis, and of what then ran; fitted where it is not yet."""
        return self.learned("first", self.lesson())

    def learned(self, name: object, values: Array) -> Learner:
        """The predictor that learned these values (n,) of the basis; remembered by name as long as the basis stays."""
        learner: Learner = self.once(name, lambda: self._fit(values))
        return learner

    def once(self, name: object, make: Callable[[], Any]) -> Any:
        """What ``make`` gives; remembered by name as long as the basis stays."""
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]

    def _fit(self, values: Array) -> Learner:
        count, lie = len(values), LIES[self.pending]
        learner = self.made(count)
        chosen = taught(values, getattr(getattr(learner, "regressor", None), "most", None))
        architectures, values = [self.told[place].architecture for place in chosen], values[chosen]
        if self.pending == "none" or not self._believed:
            learner.fit(architectures, values)
            return learner
        if lie is None:
            learner.fit(architectures, values)
            lies = learner.predict(self._believed)[0]
            learner = self.made(count)
        else:
            lies = np.full(len(self._believed), lie(values))
        learner.fit([*architectures, *self._believed], np.append(values, lies))
        return learner

    def made(self, count: int) -> Learner:
        """A new predictor; its seed follows from that of the study and how much it will learn from."""
        seed = trial_seed(self.seed, count) % 2**31
        maker = partial(learner, self.predictor) if isinstance(self.predictor, str) else self.predictor
        return maker(space=self.space, seed=seed, **self.settings)

    # -- what proposals are made of ----------------------------------------------------------------------------------

    def best(self, count: int | None = None) -> list[Architecture]:
        """Everything that was told, or the first ``count`` of it: the best by violation and first objective first."""
        return [each.architecture for each in sorted(self.told[:count], key=lambda each: each.losses[:2])]

    def pool(self, make: Callable[[Ground, np.random.Generator], Sequence[Architecture]]) -> Guess:
        """What was made of the best and is new, with what the predictor says of it.

        It is made when the predictor has learned anew, and, if it comes of the best, when something better than all
        before was told; several proposals are taken of it, as in the published searches. It depends on what was told
        until then and the seed alone, so it is the same after a restart.
        """
        size = max(self.basis.size, self._led) if self.climbs else self.basis.size
        if self._pool is None or self._pool[0] != (self.basis, size):
            known = Known(self.space)
            for each in (*(told.architecture for told in self.told[:size]), *self._believed):
                known.add(each)
            rng = np.random.default_rng((trial_seed(self.seed, size) % 2**31, 1))
            ground = Ground(self.space, known, self.best(size), lambda some: self.guessed(some).mean)
            self._pool = (self.basis, size), self.guessed(make(ground, rng))
        guess = self._pool[1]
        new = [place for place, each in enumerate(guess.architectures) if each not in self.known]
        return Guess(guess.mean[new], guess.std[new], guess.best, [guess.architectures[place] for place in new])

    def guessed(self, architectures: Sequence[Architecture]) -> Guess:
        """What the predictor says of architectures, all in one batch."""
        mean, std = self.fitted().predict(architectures) if architectures else (np.zeros(0), np.zeros(0))
        return Guess(mean, std, float(self.lesson().max()), architectures)

    def ground(self, worth: Callable[[Sequence[Architecture]], Array]) -> Ground:
        """What candidates are made from, when they are judged by ``worth``."""
        return Ground(self.space, self.known, self.best(), worth)

    def anything(self, rng: np.random.Generator) -> Proposal:
        """Something random that is new."""
        return Proposal(self.fresh(lambda: self.space.sample(rng), rng), self.budget)

    def chosen(self, candidates: Sequence[Architecture], worth: Array, rng: np.random.Generator) -> Proposal:
        """The candidate that is worth most; something random where there is none, or none is worth a number."""
        worth = np.where(np.isnan(worth), -np.inf, worth)
        if not len(candidates) or not np.isfinite(worth).any():
            return self.anything(rng)
        return Proposal(candidates[int(np.argmax(worth))], self.budget)


def readable(learner: Learner, space: Space) -> None:
    """Makes sure that the predictor can read the space, before anything is tried.

    Raises:
        NasturtiumError: If it cannot, with an encoding that can be read.
    """
    encoder = getattr(learner, "encoder", None)
    if encoder is None:
        return
    example = [space.sample(np.random.default_rng(0))]
    try:
        encoder.fit(example)
        encoder(example)
    except NasturtiumError as error:
        alone = getattr(encoder, "vocabulary", None) is not None
        remedy = "predictor='random_forest', which reads 'one_hot'" if alone else "encoding='one_hot'"
        called = getattr(learner, "name", "") or type(learner).__name__
        raise NasturtiumError(
            f"predictor {called!r} cannot read space {space.name!r}: {error}; give {remedy}"
        ) from error
