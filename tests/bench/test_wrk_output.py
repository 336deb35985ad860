"""What the benchmark reads of wrk's words, and which of them are no figure."""

import pytest

from tests.bench.wrk import Load, WrkFailed, parse

GOOD = """Running 2s test @ http://127.0.0.1:31010/
  1 threads and 16 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     3.91ms    0.89ms  12.92ms   93.69%
    Req/Sec     4.10k   120.07     4.30k    86.54%
  Latency Distribution
     50%  812.00us
     75%    4.12ms
     90%    4.99ms
     99%    1.20s
  8164 requests in 2.00s, 17.76MB read
Requests/sec:   4080.53
Transfer/sec:      8.87MB
"""
LATE = "  8164 requests in 2.00s, 17.76MB read\n"


def test_rate_and_latencies_are_read_in_milliseconds() -> None:
    """Whatever unit wrk chose for each; the table above them, in percent too, isn't read."""
    assert parse(GOOD) == Load(answered=8164, per_second=4080.53, p50_ms=0.812, p99_ms=1200.0)


@pytest.mark.parametrize(
    "fault",
    [
        "  Non-2xx or 3xx responses: 1\n",
        "  Socket errors: connect 0, read 3, write 0, timeout 0\n",
    ],
)
def test_refusals_are_no_figure(fault: str) -> None:
    """A door that refuses is quick: such a run says nothing about the page."""
    with pytest.raises(WrkFailed, match=fault.strip()):
        parse(GOOD.replace(LATE, LATE + fault))


@pytest.mark.parametrize(
    ("of", "instead"),
    [(LATE, ""), ("8164 requests", "0 requests"), ("50%  812.00us", ""), ("Requests/sec", "?")],
)
def test_words_without_a_figure_are_an_error(of: str, instead: str) -> None:
    """An empty run, or another program's words, never become a rate."""
    with pytest.raises(WrkFailed, match="no figures"):
        parse(GOOD.replace(of, instead))
