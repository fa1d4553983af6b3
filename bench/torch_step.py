"""The benchmark's training step and decoding in PyTorch eager, for bench/node.ts.

Reads one JSON object from standard input:
    {"step": [{"size", "config", "B", "T"}], "decode": {"size", "config", "B", "prompt", "tokens"} | null,
     "optimizer": {...}, "rounds": n}
and writes one to standard output:
    {"torch", "device", "step": [{"size", "ms": [...], "loss"}], "decode": {"ms": [...]} | null}

The same Llama as src/engine/model.ts in float32 (no TF32), AdamW, global norm clipping; each step ends
when its loss has been read back, as on every other side.
"""

import json
import sys
import time

import torch
import torch.nn.functional as F

WARM_UPS = 2


class Llama(torch.nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        C, I, V = config["hidden_size"], config["intermediate_size"], config["vocab_size"]
        self.embed = torch.nn.Embedding(V, C)
        self.norm = torch.nn.RMSNorm(C, eps=config["rms_norm_eps"])
        self.layers = torch.nn.ModuleList(
            torch.nn.ModuleDict(
                {
                    "norm1": torch.nn.RMSNorm(C, eps=config["rms_norm_eps"]),
                    "q": torch.nn.Linear(C, C, bias=False),
                    "k": torch.nn.Linear(C, C, bias=False),
                    "v": torch.nn.Linear(C, C, bias=False),
                    "o": torch.nn.Linear(C, C, bias=False),
                    "norm2": torch.nn.RMSNorm(C, eps=config["rms_norm_eps"]),
                    "gate": torch.nn.Linear(C, I, bias=False),
                    "up": torch.nn.Linear(C, I, bias=False),
                    "down": torch.nn.Linear(I, C, bias=False),
                }
            )
            for _ in range(config["num_hidden_layers"])
        )
        for weight in self.parameters():
            if weight.dim() == 2:
                torch.nn.init.normal_(weight, std=0.02)

    def angles(self, positions):
        """cos and sin, [T, head_dim / 2] each."""
        half = self.config["hidden_size"] // self.config["num_attention_heads"] // 2
        index = torch.arange(half, device=positions.device, dtype=torch.float32)
        inverse = self.config["rope_theta"] ** (-index / half)
        angle = positions.float()[:, None] * inverse
        return angle.cos(), angle.sin()

    def forward(self, ids, positions, cache=None):
        """ids [B, T] at positions [T] -> hidden states [B, T, C]; a cache is filled in place."""
        B, T = ids.shape
        H = self.config["num_attention_heads"]
        cos, sin = self.angles(positions)

        def heads(x):
            return x.view(B, T, H, -1).transpose(1, 2)

        def rotate(x):
            a, b = x.chunk(2, dim=-1)
            return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)

        x = self.embed(ids)
        for index, layer in enumerate(self.layers):
            h = layer["norm1"](x)
            q, k, v = rotate(heads(layer["q"](h))), rotate(heads(layer["k"](h))), heads(layer["v"](h))
            if cache is not None:
                keys, values = cache[index]
                start = cache.start
                keys[:, :, start : start + T] = k
                values[:, :, start : start + T] = v
                k, v = keys[:, :, : start + T], values[:, :, : start + T]
            mixed = F.scaled_dot_product_attention(q, k, v, is_causal=T > 1)
            x = x + layer["o"](mixed.transpose(1, 2).reshape(B, T, -1))
            m = layer["norm2"](x)
            x = x + layer["down"](F.silu(layer["gate"](m)) * layer["up"](m))
        return self.norm(x)

    def logits(self, hidden):
        return F.linear(hidden, self.embed.weight)


class Cache(list):
    """Keys and values of each layer, [B, H, S, head_dim]; `start` tokens are in it."""

    start = 0


def token_rows(B, length, V):
    """The rows of tokenRows in bench/work.ts."""
    return [[(b * 31 + t * 7 + (t * t) % 11) % V for t in range(length)] for b in range(B)]


def timed(run, rounds):
    """ms of each measured run, and what the first run gave."""
    first, times = None, []
    for i in range(WARM_UPS + rounds):
        start = time.perf_counter()
        value = run()
        if i == 0:
            first = value
        if i >= WARM_UPS:
            times.append((time.perf_counter() - start) * 1000)
    return times, first


def training_step(work, optimizer_config, rounds, device):
    model = Llama(work["config"]).to(device)
    B, T = work["B"], work["T"]
    rows = torch.tensor(token_rows(B, T + 1, work["config"]["vocab_size"]), device=device)
    ids, targets = rows[:, :-1].contiguous(), rows[:, 1:].contiguous()
    positions = torch.arange(T, device=device)
    optimizer = torch.optim.AdamW(
        model.parameters(),
        lr=optimizer_config["learning_rate"],
        betas=(optimizer_config["adam_beta1"], optimizer_config["adam_beta2"]),
        eps=optimizer_config["adam_epsilon"],
        weight_decay=optimizer_config["weight_decay"],
    )

    def run():
        logits = model.logits(model(ids, positions))
        loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), optimizer_config["max_grad_norm"])
        optimizer.step()
        value = loss.item()
        if device.type == "cuda":
            torch.cuda.synchronize()
        return value

    times, loss = timed(run, rounds)
    return {"size": work["size"], "ms": times, "loss": loss}


@torch.no_grad()
def decoding(work, rounds, device):
    config = work["config"]
    model = Llama(config).to(device)
    B, P, new = work["B"], work["prompt"], work["tokens"]
    H = config["num_attention_heads"]
    shape = (B, H, P + new, config["hidden_size"] // H)
    prompts = torch.tensor(token_rows(B, P, config["vocab_size"]), device=device)

    def run():
        cache = Cache(
            (torch.empty(shape, device=device), torch.empty(shape, device=device))
            for _ in range(config["num_hidden_layers"])
        )
        tokens, logprobs = [], []
        ids = prompts
        for _ in range(new):
            positions = torch.arange(cache.start, cache.start + ids.shape[1], device=device)
            logits = model.logits(model(ids, positions, cache)[:, -1])
            cache.start += ids.shape[1]
            all_logprobs = logits.log_softmax(-1)
            ids = torch.multinomial(all_logprobs.exp(), 1)
            tokens.append(ids)
            logprobs.append(all_logprobs.gather(1, ids))
        torch.cat(tokens, 1).cpu()
        torch.cat(logprobs, 1).cpu()

    times, _ = timed(run, rounds)
    return {"ms": times}


def main():
    request = json.load(sys.stdin)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.manual_seed(1)
    name = torch.cuda.get_device_name(0) if device.type == "cuda" else "CPU"
    rounds = request["rounds"]
    answer = {
        "torch": torch.__version__,
        "device": name,
        "step": [training_step(work, request["optimizer"], rounds, device) for work in request["step"]],
        "decode": None if request["decode"] is None else decoding(request["decode"], rounds, device),
    }
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
