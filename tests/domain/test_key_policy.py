"""What a key may do within its plan."""

import pytest

from domain.keys.errors import AddressNotAllowed, FeatureNotAllowed, NetworkRefused
from domain.keys.policy import ANYTHING, Policy, check_network


def test_a_key_that_nothing_bounds_may_do_everything() -> None:
    ANYTHING.check_feature("echo")
    ANYTHING.check_address("203.0.113.9")


def test_a_key_is_for_the_features_that_it_names() -> None:
    policy = Policy(features=("echo", "summarize"))
    policy.check_feature("summarize")
    with pytest.raises(FeatureNotAllowed, match="not for the feature 'classify'"):
        policy.check_feature("classify")
    assert not Policy(features=()).permits("echo")


@pytest.mark.parametrize("address", ["203.0.113.0", "203.0.113.255", "2001:db8::1", "::ffff:203.0.113.7"])
def test_a_key_is_for_the_networks_that_it_names(address: str) -> None:
    Policy(networks=("203.0.113.0/24", "2001:db8::/32")).check_address(address)


@pytest.mark.parametrize("address", ["203.0.114.0", "2001:db9::", "::ffff:203.0.114.7", "::1", "unix"])
def test_it_is_refused_from_anywhere_else(address: str) -> None:
    with pytest.raises(AddressNotAllowed, match="not for use from"):
        Policy(networks=("203.0.113.0/24", "2001:db8::/32")).check_address(address)


@pytest.mark.parametrize(
    ("given", "usual"),
    [("203.0.113.7", "203.0.113.7/32"), ("2001:DB8:0::/32", "2001:db8::/32"), ("10.0.0.0/8", "10.0.0.0/8")],
)
def test_a_network_is_written_in_its_usual_form(given: str, usual: str) -> None:
    assert check_network(given) == usual


@pytest.mark.parametrize("given", ["", "10.0.0.1/8", "10.0.0.0/33", "example.org", "1", "10.0.0.0/8 "])
def test_what_is_no_network_is_refused(given: str) -> None:
    with pytest.raises(NetworkRefused, match="is no network such as"):
        check_network(given)
