"""Whatever bytes come in, the reader gives a value or one sentence that names the file."""

import pytest

hypothesis = pytest.importorskip("hypothesis")
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from lanekeep_files.reading import Arrays, FileError, json_of, toml_of  # noqa: E402

TOML = st.lists(
    st.sampled_from(["a", ".", "=", "[", "]", "{", "}", '"', "'", "\n", "1", "e", "-", "inf", "nan", ",", "#"])
)


@settings(derandomize=True, max_examples=300, deadline=None, database=None)
@given(
    st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode), TOML.map(lambda p: "".join(p).encode()))
)
def test_any_bytes_are_a_value_or_a_sentence(data: bytes) -> None:
    for read in (
        lambda: toml_of(data, "the-file"),
        lambda: json_of(data, "the-file", dict),
        lambda: Arrays(data, "the-file"),
        lambda: Arrays(b"PK\x05\x06" + data.ljust(18, b"\0"), "the-file"),
    ):
        try:
            read()
        except FileError as error:
            assert str(error).startswith("the-file") and "\n" not in str(error)
