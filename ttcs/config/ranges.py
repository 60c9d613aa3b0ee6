"""The range of every number in conf/, by its name; tests/test_ranges.py sees to it that none is left out.

A number has to be in it before anything is loaded. How numbers depend on each other (n is a multiple of width) is for
the component to check that has them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ttcs.config import bounds
from ttcs.config.bounds import Bounds

COUNT = Bounds(1)
COUNT_OR_NULL = Bounds(1, null=True)
NATURAL = Bounds(0)
NATURAL_OR_NULL = Bounds(0, null=True)
PROCESSES = Bounds(1, 1024)  # of one machine
SEED = Bounds(0, 2**32 - 1)  # what NumPy takes
SHARE = Bounds(0, 1, whole=False)
PART = Bounds(0, 1, whole=False, above=True)
REST = Bounds(0, 1, whole=False, below=True)
AMOUNT = Bounds(0, whole=False)
AMOUNT_OR_NULL = Bounds(0, whole=False, null=True)
POSITIVE = Bounds(0, whole=False, above=True)
POSITIVE_OR_NULL = Bounds(0, whole=False, above=True, null=True)


def _of(limits: Bounds, names: str) -> Iterator[tuple[str, Bounds]]:
    return ((name, limits) for name in names.split())


RUN = {
    **dict(_of(COUNT_OR_NULL, "n limit samples open")),  # a strategy's own are never null, which its class says
    **dict(_of(COUNT, "span.* shards bins levelled.levels")),
    **dict(_of(NATURAL, "shard")),
    **dict(_of(SEED, "seed Columns.seed")),
    **dict(_of(PROCESSES, "workers processes")),
    **dict(_of(COUNT_OR_NULL, "Budget.generations Budget.tokens Budget.flops")),
    "Joblib.n_jobs": Bounds(-1),
    **dict(_of(COUNT, "Slurm.time Slurm.cpus_per_task Slurm.array_parallelism Slurm.points_per_job")),
    **dict(_of(COUNT, "Slurm.signal_delay_s")),
    **dict(_of(NATURAL, "Slurm.max_num_timeout")),
    **dict(_of(NATURAL_OR_NULL, "Slurm.gpus_per_node")),
}
MODELS = {
    **dict(_of(COUNT, "batch_size max_tokens capacity tensor_parallel_size")),
    **dict(_of(COUNT_OR_NULL, "top_k max_model_len block_size step_tokens ScriptedPRM.context cache_tokens")),
    "threads": Bounds(1, 1024, null=True),
    "temperature": AMOUNT,
    "top_p": PART,
    "gpu_memory_utilization": Bounds(0, 1, whole=False, null=True, above=True),
    **dict(_of(COUNT_OR_NULL, "VLLMPolicy.batch_size VLLMPRM.batch_size")),
    "cache_gb": AMOUNT_OR_NULL,
    **dict(_of(AMOUNT, "TransformersPolicy.cache_gb TransformersPRM.cache_gb TwoModelsPRM.cache_gb")),
    **dict(_of(POSITIVE, "LogRatio.beta Least.scale")),
    "Least.centre": Bounds(whole=False),
    "timeout": POSITIVE,
    "retries": NATURAL,
    "body.top_k": Bounds(-1),  # -1: all tokens
    "body.min_p": SHARE,
    **dict(_of(POSITIVE, "body.repeat_penalty body.repetition_penalty")),
    **dict(_of(NATURAL, "format.attempts Outcome.attempts")),
    "RevisionFormat.attempts": COUNT,
    **dict(_of(COUNT, "min_depth max_depth tokens_per_step")),
    **dict(_of(SHARE, "accuracy misconception fix quality blind tail")),
    **dict(_of(SHARE, "ScriptedThinking.end ScriptedThinking.mend ScriptedThinking.spoil")),
    "ScriptedThinking.tokens": COUNT,
    **dict(_of(COUNT, "ScriptedChain.steps ScriptedChain.values ScriptedBelief.steps ScriptedBelief.values")),
    **dict(_of(SHARE, "ScriptedChain.slip ScriptedChain.rule ScriptedChain.share")),
    "ScriptedBelief.right": Bounds(0, 1, whole=False, above=True, below=True),
    "ScriptedBelief.fade": PART,
    **dict(_of(SHARE, "ScriptedBelief.missed ScriptedBelief.blind ScriptedBelief.check")),
    **dict(_of(AMOUNT, "ScriptedBelief.deviation ScriptedBelief.noise ScriptedBelief.last_noise")),
    **dict(_of(Bounds(whole=False), "ScriptedBelief.mistake ScriptedBelief.liked")),
    **dict(_of(AMOUNT, "policy.spread ScriptedPolicy.spread")),  # a recipe's runs have another one
    "pace": COUNT_OR_NULL,
    **dict(_of(COUNT_OR_NULL, "ScriptedPolicy.cache_tokens ScriptedPRM.cache_tokens")),
    "ScriptedPolicy.tail": SHARE,
    **dict(_of(COUNT, "parameters ModelSize.layers ModelSize.hidden")),
}
STOPPING = {
    **dict(_of(PART, "stopping.threshold Beta.threshold Dirichlet.threshold")),
    **dict(_of(COUNT, "stopping.size Window.size orders")),
    "ahead": NATURAL_OR_NULL,
    "Sharing.tokens": COUNT_OR_NULL,
    "Sharing.block": COUNT,
    "Sharing.part": PART,
}
STRATEGIES = {
    **dict(_of(COUNT, "width max_steps chains window answer steps top searched")),
    **dict(_of(NATURAL, "k waits")),
    **dict(_of(COUNT_OR_NULL, "BestOfN.confidence BestOfN.window")),
    **dict(_of(COUNT, "DeepConf.confidence warm_up every agree probe")),
    **dict(_of(PART, "keep consensus")),
    "power": AMOUNT,
    "least": NATURAL_OR_NULL,
    "balance": POSITIVE,
    "sure": Bounds(whole=False, null=True),  # a score, whatever the verifier's are
    "thinking": COUNT_OR_NULL,
}
PLANNING = {
    **dict(_of(COUNT, "prompt_tokens plan.batch_tokens")),
    "template": NATURAL,
    "kv_bytes.*": POSITIVE,
    "GPU.batch": COUNT,
    **dict(_of(POSITIVE, "GPU.flops GPU.bandwidth GPU.memory GPU.kv_bytes")),
    **dict(_of(PART, "GPU.prefill_share GPU.decode_share GPU.memory_share")),
    "price": AMOUNT,
}
SERVICE = {
    "serve.port": Bounds(1, 65535),
    **dict(_of(COUNT, "serve.at_once serve.most_n serve.body serve.drain serve.shown page.last")),
    "serve.keep_alive": POSITIVE,
    "serve.most_tokens": COUNT_OR_NULL,
    "serve.most_seconds": Bounds(0, 86_400, whole=False, null=True, above=True),
}
CURATION = {**dict(_of(COUNT, "size within")), "weights.*": AMOUNT}
FIGURES = {
    **dict(_of(COUNT, "resamples parameters.*")),
    "at": COUNT_OR_NULL,
    "ratios": POSITIVE_OR_NULL,
}
STAGES = {
    **dict(_of(COUNT, "traces examples rollouts vocabulary patience limits stage.attempts attempts.*")),
    **dict(_of(COUNT, "Corpus.solutions Tokenizer.solutions GradedSamples.solutions GradedSolutions.solutions")),
    **dict(_of(COUNT, "GradedChains.solutions")),
    **dict(_of(COUNT, "ChainCorpus.solutions FactCorpus.facts")),
    **dict(_of(Bounds(1, 6), "ChainCorpus.shortest Chains.shortest")),
    **dict(_of(COUNT_OR_NULL, "after max_length positions per_problem")),
    "deepen": NATURAL,
    **dict(_of(SHARE, "hot mixed share worked flip slip erring small comparisons misconceptions.*")),
    **dict(_of(REST, "validation dropout")),
    **dict(_of(AMOUNT, "temperatures hot_temperature token_loss next_loss own_loss care rounds words.*")),
    **dict(_of(AMOUNT, "GradedSolutions.slips GradedSolutions.misconceptions")),
}
TRAINING = {  # transformers' TrainingArguments and configuration of a model
    **dict(_of(COUNT, "arguments.max_steps arguments.save_total_limit arguments.gradient_accumulation_steps")),
    **dict(_of(COUNT, "arguments.per_device_train_batch_size arguments.per_device_eval_batch_size")),
    **dict(_of(POSITIVE, "arguments.learning_rate arguments.num_train_epochs")),
    **dict(_of(POSITIVE, "arguments.eval_steps arguments.save_steps arguments.logging_steps")),
    **dict(_of(AMOUNT, "arguments.warmup_steps arguments.weight_decay arguments.max_grad_norm")),
    **dict(_of(REST, "arguments.adam_beta1 arguments.adam_beta2")),
    "arguments.dataloader_num_workers": Bounds(0, 1024),
    **dict(_of(COUNT, "architecture.hidden_size architecture.intermediate_size architecture.num_hidden_layers")),
    **dict(_of(COUNT, "architecture.num_attention_heads architecture.num_key_value_heads")),
    "architecture.max_position_embeddings": COUNT,
    "architecture.initializer_range": POSITIVE,
}
RANGES: Mapping[str, Bounds] = {
    **RUN, **MODELS, **STOPPING, **STRATEGIES, **PLANNING, **SERVICE, **CURATION, **FIGURES, **STAGES, **TRAINING
}  # fmt: skip
FOREIGN = frozenset(
    {
        # What vLLM, a server, sbatch, peft or torch is handed, as they call it.
        *("extra", "speculative_config", "resume_body", "resume_message", "lora", "fsdp_config"),
        *("columns.*", "keywords", "Chat.limit"),  # names of columns, words to look for, the name of a field
        "large",  # what a figure is told of a larger policy, with a check of its own
    }
)


def check(config: Mapping[str, Any]) -> None:
    """UserError for a number of the configuration that is out of its range."""
    bounds.check(config, RANGES, FOREIGN)
