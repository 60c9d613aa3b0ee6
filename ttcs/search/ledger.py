"""What a search costs, and what it may cost at most."""

from __future__ import annotations

from dataclasses import dataclass

from ttcs.core import Continue, Continued, Judged, ModelSize, Stop, Trajectory


@dataclass(slots=True)
class Ledger:
    """The measured cost of one problem's search. Counts are totals over all requests, final scoring included.

    prompt_tokens: tokens of problem and prefix, summed over policy calls; cached_tokens of them were not computed anew.
    decoded_tokens: every token the policy sampled, so = sampled tokens of the candidates' steps (each step once)
        + discarded_tokens + lookahead_tokens + speculated_tokens.
    discarded_tokens: sampled outside lookahead and in no step of a returned candidate, speculation left out.
    lookahead_tokens: sampled by lookahead rollouts, whatever became of them, speculation left out.
    speculated_tokens: of samples that ran ahead when those before them were enough. They are in no other part, and how
        many there are is a matter of time; so is what the other counts have of them. `generations` has nothing of them.
    thinking_tokens: the part of decoded_tokens that is thinking, what ends it not counted.
    prm_tokens: tokens the PRM computed; prm_cached_tokens were read from its cache on top of those.
    generations: what the papers count. A request for at most k steps is as many generations as it added steps (at least
        one), a request for a whole solution is one; so beam search pays n a round and lookahead n (k + 1).
    lookahead_generations: the part of `generations` spent on lookahead.
    policy_calls, prm_calls: requests, one trajectory each.
    seconds: wall time from the admission of the problem to the end of its search, other problems' work included.
    policy_flops, prm_flops: see `flops`; what came from a cache is free.
    unread: the part of prm_calls with a solution that was longer than the PRM reads.
    rounds: how often the search waited for samples, one time after another: its latency, where steps and solutions take
        alike. Searches side by side count as the one that did so most often. Where samples may be enough it is how
        often it looked at what had come.
    """

    prompt_tokens: int = 0
    cached_tokens: int = 0
    decoded_tokens: int = 0
    discarded_tokens: int = 0
    lookahead_tokens: int = 0
    prm_tokens: int = 0
    prm_cached_tokens: int = 0
    generations: int = 0
    lookahead_generations: int = 0
    policy_calls: int = 0
    prm_calls: int = 0
    seconds: float = 0.0
    policy_flops: int = 0
    prm_flops: int = 0
    thinking_tokens: int = 0
    unread: int = 0
    speculated_tokens: int = 0
    rounds: int = 0

    def charge_policy(self, size: ModelSize, request: Continue, result: Continued, lookahead: bool) -> None:
        decoded = self._charge(size, request, result)
        steps = [step for step in result.steps if step.stop is not Stop.THOUGHT]  # which comes on top of a step
        generations = 1 if request.max_steps is None else max(1, len(steps))
        self.generations += generations
        if lookahead:
            self.lookahead_tokens += decoded
            self.lookahead_generations += generations

    def charge_speculated(self, size: ModelSize, request: Continue, result: Continued) -> None:
        """A request that nobody waits for any more, as far as it has come."""
        self.speculated_tokens += self._charge(size, request, result)

    def _charge(self, size: ModelSize, request: Continue, result: Continued) -> int:
        """What it took, whatever it was for; the tokens decoded."""
        decoded = sum(len(step.tokens) for step in result.steps) + result.unseen
        self.policy_calls += 1
        self.prompt_tokens += result.prompt_tokens
        self.cached_tokens += result.cached_tokens
        self.decoded_tokens += decoded
        self.thinking_tokens += Trajectory(request.trajectory.problem, result.steps).thinking_tokens
        if decoded:  # the last token is sampled but not read
            self.policy_flops += flops(size, result.cached_tokens, result.prompt_tokens + decoded - 1)
        return decoded

    def charge_prm(self, size: ModelSize, result: Judged) -> None:
        self.prm_calls += 1
        self.unread += result.limit is not None
        self.prm_tokens += result.tokens - result.cached_tokens
        self.prm_cached_tokens += result.cached_tokens
        self.prm_flops += flops(size, result.cached_tokens, result.tokens)

    def close(self, kept: int, rounds: int, seconds: float) -> None:
        """What is known when a search has ended. kept: sampled tokens of the candidates' steps, each step once."""
        self.discarded_tokens = self.decoded_tokens - self.lookahead_tokens - self.speculated_tokens - kept
        self.rounds, self.seconds = rounds, seconds


def flops(size: ModelSize, start: int, end: int) -> int:
    """FLOPs of a forward pass over positions start .. end - 1, the earlier ones cached.

    2 per parameter and position, and for attention 4 layers hidden per pair of a position and a position it attends to,
    itself included (QK^T and AV: 2 hidden each).
    """
    pairs = (end * (end + 1) - start * (start + 1)) // 2
    return 2 * size.parameters * (end - start) + 4 * size.layers * size.hidden * pairs
