"""Writes tests/golden/agreement.json: rankings by several labelers, with Krippendorff's alpha (ordinal) by
the package `krippendorff` and Kendall's W by `scipy.stats.friedmanchisquare` (W = chi2 / (m (n - 1)), which
it corrects for ties).

    pip install krippendorff==0.8.1 scipy==1.17.1
    python tools/golden/agreement_fixture.py
"""

import json
from importlib.metadata import version

import krippendorff
import numpy as np
from scipy.stats import friedmanchisquare, rankdata

rng = np.random.default_rng(3)


def ranking(taste, noise, ties):
    """Ranks of n things, 1 is best; ties where scores are equal after rounding."""
    score = taste + noise * rng.normal(size=len(taste))
    score = np.round(score * 2) / 2 if ties else score
    return rankdata(-score, method="min").astype(int).tolist()


def panel(labelers, n, noise, ties):
    taste = rng.normal(size=n)
    return [ranking(taste, noise, ties) for _ in range(labelers)]


def kendall_w(rankings):
    m, n = len(rankings), len(rankings[0])
    return friedmanchisquare(*np.array(rankings).T).statistic / (m * (n - 1))


def alpha(panels):
    """Units are completions; a labeler who did not rank a set has no value there."""
    most = max(len(rankings) for rankings in panels)
    columns = [
        [rankings[labeler][i] if labeler < len(rankings) else np.nan for labeler in range(most)]
        for rankings in panels
        for i in range(len(rankings[0]))
    ]
    return krippendorff.alpha(np.array(columns, float).T, level_of_measurement="ordinal")


CASES = {
    "alike": dict(labelers=[3] * 6, n=[4], noise=0.3, ties=False),
    "at odds": dict(labelers=[2] * 8, n=[4], noise=5, ties=False),
    "ties": dict(labelers=[3] * 6, n=[4], noise=0.5, ties=True),
    "K of 3, 5 and 9, panels of 3 to 5": dict(labelers=[3, 4, 5] * 4, n=[3, 5, 9, 5], noise=1, ties=True),
}
cases = []
for name, case in CASES.items():
    panels = [
        panel(labelers, case["n"][i % len(case["n"])], case["noise"], case["ties"])
        for i, labelers in enumerate(case["labelers"])
    ]
    # scipy's test wants three labelers
    w = [kendall_w(rankings) if len(rankings) > 2 else None for rankings in panels]
    cases.append(dict(name=name, panels=panels, kendall_w=w, alpha=alpha(panels)))

versions = {name: version(name) for name in ("krippendorff", "scipy", "numpy")}
with open("tests/golden/agreement.json", "w") as file:
    json.dump(dict(versions=versions, cases=cases), file)
    file.write("\n")
