"""Optional parts: one sentence that names the extra to install where a guest library is missing."""

from collections.abc import Iterator
from contextlib import contextmanager


class MissingExtraError(ImportError):
    """A library is not installed that an optional part needs.

    Parameters
    ----------
    library
        The library that was not found.
    extra
        The extra of Tvilling that brings it.
    """

    def __init__(self, library: str, extra: str) -> None:
        self.library, self.extra = library, extra
        super().__init__(f"{library} is not installed; pip install 'tvilling[{extra}]' brings it")


@contextmanager
def needs_extra(extra: str) -> Iterator[None]:
    """Wraps the imports of a guest library.

    Raises
    ------
    MissingExtraError
        The library is not installed. Another fault inside it passes through as it is.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] == "tvilling":
            raise
        raise MissingExtraError(error.name.split(".")[0], extra) from error
