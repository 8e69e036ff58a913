import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from wowbench.functionals.label_gaussians import embed_labels


def classes(c, n, d=6, seed=0):
    generator = torch.Generator().manual_seed(seed)
    scale = torch.arange(d, 0, -1, dtype=torch.float64)
    return scale * torch.randn(c, n, d, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("dim", [1, 2, 4])
def test_moments_of_scikit_learns_pca(dim):
    source, target = classes(3, 20), classes(2, 5, seed=1)
    embedded = embed_labels(source, target, dim)
    points = torch.cat((source.flatten(0, 1), target.flatten(0, 1))).numpy()
    pca = PCA(dim, svd_solver="full").fit(points)
    axes = pca.components_ * np.sign(
        pca.components_[np.arange(dim), np.abs(pca.components_).argmax(1)]
    ).reshape(-1, 1)
    for found, x in zip(embedded, (source, target), strict=True):
        assert found.mean.shape == (len(x), dim)
        for c, samples in enumerate(x.numpy()):
            plane = (samples - pca.mean_) @ axes.T
            np.testing.assert_allclose(found.mean[c], plane.mean(0), rtol=1e-9, atol=1e-10)
            expected = np.cov(plane.T).reshape(dim, dim)
            np.testing.assert_allclose(found.cov[c], expected, rtol=1e-9, atol=1e-10)
        assert found.cov.equal(found.cov.mT)


def test_one_sample_has_the_identity():
    source, target = embed_labels(classes(3, 20), classes(2, 1, seed=1))
    assert target.cov.equal(torch.eye(2, dtype=torch.float64).expand(2, 2, 2))
    assert not source.cov.equal(torch.eye(2, dtype=torch.float64).expand(3, 2, 2))


def test_order_of_samples_and_sets_does_not_matter():
    source, target = classes(3, 20), classes(2, 5, seed=1)
    expected, other = embed_labels(source, target)
    shuffled, _ = embed_labels(source[:, torch.randperm(20)], target)
    swapped_other, swapped = embed_labels(target, source)
    for found in (shuffled, swapped):
        torch.testing.assert_close(found.mean, expected.mean)
        torch.testing.assert_close(found.cov, expected.cov)
    torch.testing.assert_close(swapped_other.cov, other.cov)


def test_dtype_is_kept_and_samples_get_copies():
    source, _ = embed_labels(classes(3, 20).float(), classes(2, 5, seed=1).float())
    mean, cov = source.per_sample(4)
    assert mean.dtype == torch.float32
    assert (mean.shape, cov.shape) == ((3, 4, 2), (3, 4, 2, 2))
    assert mean[1, 3].equal(source.mean[1])
    mean[1, 3] += 1
    assert mean[1, 2].equal(source.mean[1])


@pytest.mark.parametrize(
    ("source", "target", "dim", "message"),
    [
        (classes(3, 20)[0], classes(2, 5), 2, r"source has shape \(20, 6\)"),
        (
            classes(3, 20),
            [classes(1, 2)[0], classes(1, 3)[0]],
            2,
            "target has classes of different",
        ),
        (classes(3, 20), classes(2, 5, d=4), 2, "target has dimension 4; expected 6"),
        (classes(3, 20), classes(2, 5), 7, "dim is 7; expected 1 to 6 for 70 samples of dimens"),
        (classes(3, 20), classes(2, 5), 0, "dim is 0; expected 1 to 6"),
        (classes(1, 1), classes(1, 2), 3, "dim is 3; expected 1 to 2 for 3 samples"),
        (classes(1, 2) * float("inf"), classes(1, 2), 1, r"source\[0, 0, 0\] is -?inf"),
    ],
)
def test_bad_input_is_named(source, target, dim, message):
    with pytest.raises(ValueError, match=message):
        embed_labels(source, target, dim)
