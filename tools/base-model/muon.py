"""Muon (Jordan et al. 2024, kellerjordan.github.io/posts/muon): the momentum of a matrix, made
orthogonal by five Newton–Schulz steps, is its update.

torch.optim.Muon does the same in bfloat16, one matrix at a time, which CPUs without bfloat16 units do
slowly; here matrices of one shape go through the steps together, in f32 unless told otherwise.
"""

import torch

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
STEPS = 5


def orthogonal(matrices: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """U V^T of each of [N, R, C], roughly: singular values come out between 0.7 and 1.2."""
    a, b, c = COEFFICIENTS
    wide = matrices.shape[1] <= matrices.shape[2]
    x = matrices if wide else matrices.mT
    x = (x / x.flatten(1).norm(dim=1).clamp(min=1e-7)[:, None, None]).to(dtype)
    for _ in range(STEPS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    x = x.to(matrices.dtype)
    return x if wide else x.mT


class Muon(torch.optim.Optimizer):
    """For matrices of hidden layers; embeddings and gains want AdamW. An update has the size that AdamW's
    would have (0.2 RMS, Liu et al. 2025, arXiv:2502.16982), so both take one learning rate."""

    def __init__(self, matrices, lr: float, momentum: float = 0.95, weight_decay: float = 0.0, dtype=torch.float32):
        super().__init__(matrices, dict(lr=lr, momentum=momentum, weight_decay=weight_decay))
        self.dtype = dtype  # of the Newton–Schulz steps

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            by_shape = {}
            for p in group["params"]:
                by_shape.setdefault(tuple(p.shape), []).append(p)
            for (rows, columns), same in by_shape.items():
                updates = []
                for p in same:
                    buffer = self.state[p].setdefault("momentum", torch.zeros_like(p))
                    buffer.lerp_(p.grad, 1 - group["momentum"])
                    updates.append(p.grad.lerp(buffer, group["momentum"]))  # Nesterov
                size = 0.2 * max(rows, columns) ** 0.5
                for p, update in zip(same, orthogonal(torch.stack(updates), self.dtype)):
                    p.mul_(1 - group["lr"] * group["weight_decay"])
                    p.add_(update, alpha=-group["lr"] * size)
