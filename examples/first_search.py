"""A first search from Python: data from scikit-learn, a limit on parameters, the best network used for predictions."""

from __future__ import annotations

import argparse

import nasturtium as nt


def main() -> None:
    """Search, then predict with the network that was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=15)
    given = parser.parse_args()
    from sklearn.datasets import load_wine

    data = load_wine()
    result = nt.search((data.data, data.target), trials=given.trials, epochs=given.epochs, limits=["params<=20k"])
    print(result.best.architecture)
    print({name: round(score, 4) for name, score in result.best.scores.items()})
    import torch

    rows = torch.from_numpy(result.task.test.inputs[0][:5])
    print("predicted", result.best.model(rows).argmax(1).tolist(), "true", result.task.test.targets[:5].tolist())


if __name__ == "__main__":
    main()
