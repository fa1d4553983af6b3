"""A Llama decoder in plain PyTorch, with Hugging Face's parameter names and numerics.

Same maths as `transformers.LlamaForCausalLM`: RMSNorm, RoPE in the rotate_half form, SwiGLU, no
biases, tied embeddings. check_parity.py holds the two together.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn


class Norm(nn.Module):
    def __init__(self, size: int, eps: float):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x):  # [B, T, C]
        return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps))


def rotate(x, cos, sin):
    """RoPE on [B, H, T, D]: the halves of each head are the two coordinates (rotate_half)."""
    half = x.shape[-1] // 2
    return x * cos + torch.cat((-x[..., half:], x[..., :half]), dim=-1) * sin


class Attention(nn.Module):
    def __init__(self, config: dict):
        super().__init__()
        size, self.heads = config["hidden_size"], config["num_attention_heads"]
        self.kv_heads = config["num_key_value_heads"]
        self.dim = size // self.heads
        self.q_proj = nn.Linear(size, size, bias=False)
        self.k_proj = nn.Linear(size, self.kv_heads * self.dim, bias=False)
        self.v_proj = nn.Linear(size, self.kv_heads * self.dim, bias=False)
        self.o_proj = nn.Linear(size, size, bias=False)

    def forward(self, x, cos, sin):
        B, T, C = x.shape
        split = lambda y, heads: y.view(B, T, heads, self.dim).transpose(1, 2)  # [B, H, T, D]
        q = rotate(split(self.q_proj(x), self.heads), cos, sin)
        k = rotate(split(self.k_proj(x), self.kv_heads), cos, sin)
        v = split(self.v_proj(x), self.kv_heads)
        groups = self.heads // self.kv_heads
        if groups > 1:
            k, v = k.repeat_interleave(groups, 1), v.repeat_interleave(groups, 1)
        # In bfloat16 the gradient of this op takes 15 times as long on a CPU as in f32 (PyTorch 2.13).
        with torch.autocast("cpu", enabled=False):
            y = F.scaled_dot_product_attention(q.float(), k.float(), v.float(), is_causal=True)
        return self.o_proj(y.transpose(1, 2).reshape(B, T, C))


class Mlp(nn.Module):
    def __init__(self, config: dict):
        super().__init__()
        size, inner = config["hidden_size"], config["intermediate_size"]
        self.gate_proj = nn.Linear(size, inner, bias=False)
        self.up_proj = nn.Linear(size, inner, bias=False)
        self.down_proj = nn.Linear(inner, size, bias=False)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self, config: dict):
        super().__init__()
        eps = config["rms_norm_eps"]
        self.input_layernorm = Norm(config["hidden_size"], eps)
        self.self_attn = Attention(config)
        self.post_attention_layernorm = Norm(config["hidden_size"], eps)
        self.mlp = Mlp(config)

    def forward(self, x, cos, sin):
        x = x + self.self_attn(self.input_layernorm(x), cos, sin)
        return x + self.mlp(self.post_attention_layernorm(x))


class Body(nn.Module):
    def __init__(self, config: dict):
        super().__init__()
        self.embed_tokens = nn.Embedding(config["vocab_size"], config["hidden_size"])
        self.layers = nn.ModuleList(Layer(config) for _ in range(config["num_hidden_layers"]))
        self.norm = Norm(config["hidden_size"], config["rms_norm_eps"])


class Llama(nn.Module):
    """Logits [B, T, V] for ids [B, T]. The unembedding is the embedding, transposed."""

    def __init__(self, config: dict):
        super().__init__()
        self.config = config
        self.model = Body(config)
        dim = config["hidden_size"] // config["num_attention_heads"]
        frequencies = config["rope_theta"] ** (-torch.arange(0, dim, 2).float() / dim)
        angles = torch.outer(torch.arange(config["max_position_embeddings"]).float(), frequencies)
        angles = torch.cat((angles, angles), dim=-1)  # [T, D]
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)
        # GPT-2's initialisation: 0.02, and less for what is added to the residual stream.
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                residual = name.endswith(("o_proj.weight", "down_proj.weight"))
                scale = math.sqrt(2 * config["num_hidden_layers"]) if residual else 1
                nn.init.normal_(parameter, std=0.02 / scale)

    def forward(self, ids):
        T = ids.shape[1]
        x = self.model.embed_tokens(ids)
        for layer in self.model.layers:
            x = layer(x, self.cos[:T], self.sin[:T])
        return F.linear(self.model.norm(x), self.model.embed_tokens.weight)


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict]:
    """Matrices decay, gains of norms do not."""
    matrices = [p for p in model.parameters() if p.dim() >= 2]
    gains = [p for p in model.parameters() if p.dim() < 2]
    return [
        {"params": matrices, "weight_decay": weight_decay},
        {"params": gains, "weight_decay": 0.0},
    ]


@torch.no_grad()
def sample(model: Llama, prompts: list[list[int]], max_new: int, temperature: float, end_id: int, generator) -> list[list[int]]:
    """Continues equally long prompts; returns the new ids of each, the end token included."""
    ids = torch.tensor(prompts)
    start = ids.shape[1]
    done = torch.zeros(len(prompts), dtype=torch.bool)
    for _ in range(min(max_new, model.config["max_position_embeddings"] - start)):
        probabilities = (model(ids)[:, -1] / temperature).softmax(-1)
        token = torch.multinomial(probabilities, 1, generator=generator)
        ids = torch.cat((ids, token), dim=1)
        done |= token[:, 0] == end_id
        if done.all():
            break
    rows = ids[:, start:].tolist()
    return [row[: row.index(end_id) + 1] if end_id in row else row for row in rows]
