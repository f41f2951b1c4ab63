"""`nirtrans models`: the table, one model in full, and wrong names."""

from collections.abc import Callable


def test_the_table_tells_domains_parameters_paper_and_weights(nirtrans: Callable) -> None:
    outcome = nirtrans("models")
    assert outcome.code == 0
    header, *rows = outcome.out.splitlines()
    assert header.split() == ["model", "domains", "parameters", "paper", "weights"]
    (row,) = [row for row in rows if row.startswith("cyclegan-asym ")]
    for part in ("gray, lineart, nir", "71.1 M", "Sun et al. 2019, IEEE Access 7", "no"):
        assert part in row


def test_only_models_of_a_domain(nirtrans: Callable) -> None:
    assert "cyclegan-asym" in nirtrans("models", "--domain", "nir").out
    assert nirtrans("models", "--domain", "nri").error == "error: unknown domain 'nri'; did you mean nir?"


def test_one_model_in_full(nirtrans: Callable) -> None:
    out = nirtrans("models", "cyclegan-asym").out
    for part in (
        "halo 176 px, multiples of 8 px",
        "47,169,347",
        "network.cycle",
        "network.critic_rgb.spectral",
        "cyclegan-asym-small",
        "lambda 2",
    ):
        assert part in out


def test_a_config_in_full_shows_its_own_values(nirtrans: Callable) -> None:
    lines = nirtrans("models", "fastcut").out.splitlines()
    assert lines[0].startswith("fastcut: ")
    assert lines[1].split() == ["model", "cut"]
    assert [line.split()[1] for line in lines if line.startswith(("network.nce ", "network.mirror "))] == [
        "10.0",
        "True",
    ]


def test_a_wrong_name_proposes_the_right_one(nirtrans: Callable) -> None:
    outcome = nirtrans("models", "cyclegan-assym")
    assert outcome.code == 2
    assert outcome.error == "error: unknown model 'cyclegan-assym'; did you mean cyclegan-asym?"
