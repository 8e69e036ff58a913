"""Half the squared MMD with a kernel on the sliced-Wasserstein distance, and its WoW gradient."""

import torch
from torch import Tensor

from wowbench.geometry.sliced import back_project, gram, project, resample_quantiles
from wowbench.geometry.sorting import sort_rows, unsort_rows
from wowbench.geometry.validation import check_classes
from wowbench.kernels import Kernel


class SlicedMMD:
    """F(P) = 1/2 MMD^2(P, Q) with K(mu, nu) a function of SW(mu, nu).

    Parameters
    ----------
    target : Tensor (C', m, d) or (B, C', m, d)
        The particles of Q.
    kernel : Kernel
        One of `wowbench.kernels`.
    quantiles : {"exact", "linear"}
        How distances on the line are computed.
    """

    def __init__(self, target: Tensor, kernel: Kernel, *, quantiles: str = "exact"):
        self.target = check_classes("target", target, batched=True)
        self.kernel = kernel
        self.quantiles = quantiles

    def value_and_grad(self, x: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
        """Return F and its WoW gradient, ``n C dF/dx``.

        Parameters
        ----------
        x : Tensor (C, n, d) or (B, C, n, d)
            The particles of P.
        directions : Tensor (L, d) or (B, L, d)
            Unit vectors; the same for every pair of classes.

        Returns
        -------
        value : Tensor () or (B,)
        grad : Tensor, as `x`
        """
        xs, order = sort_rows(project(x, directions))
        ys, _ = sort_rows(project(self.target, directions))
        yq = resample_quantiles(ys, xs.shape[-1])
        cost_xx = _squared_distances(gram(xs, xs))
        cost_yy = _squared_distances(gram(ys, ys))
        x_square = gram(xs, xs).diagonal(dim1=-2, dim2=-1)
        y_square = gram(ys, ys).diagonal(dim1=-2, dim2=-1)
        cost_xy = (x_square[..., :, None] + y_square[..., None, :] - 2 * gram(xs, yq)).clamp_min(0)
        value = (
            self.kernel.value(cost_xx).mean((-2, -1)) / 2
            + self.kernel.value(cost_yy).mean((-2, -1)) / 2
            - self.kernel.value(cost_xy).mean((-2, -1))
        )
        pull_xx = self.kernel.derivative(cost_xx) * (2 / cost_xx.shape[-1])
        pull_xy = self.kernel.derivative(cost_xy) * (2 / cost_xy.shape[-1])
        total = pull_xx.sum(-1) - pull_xy.sum(-1)
        mix_x = (torch.diag_embed(total) - pull_xx).to(x.dtype).unsqueeze(-3)
        mix_y = pull_xy.to(x.dtype).unsqueeze(-3)
        h = unsort_rows(mix_x @ xs + mix_y @ yq, order)
        return value.to(x.dtype), back_project(h, directions) / directions.shape[-2]


def _squared_distances(products: Tensor) -> Tensor:
    squares = products.diagonal(dim1=-2, dim2=-1)
    return (squares[..., :, None] + squares[..., None, :] - 2 * products).clamp_min(0)
