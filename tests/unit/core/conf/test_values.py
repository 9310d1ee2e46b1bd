from __future__ import annotations

from lvsd.core.conf import addresses, answers, lines, options, readers, routes, transport, types, values
from lvsd.core.conf.keyword import Reader


def test_the_declarations_find_every_type_and_reader_under_one_roof() -> None:
    defined = {
        name
        for module in (answers, readers, lines, options)
        for name, value in vars(module).items()
        if isinstance(value, Reader) and not name.startswith("_")
    }
    defined |= {
        name
        for module in (addresses, routes, transport)
        for name, value in vars(module).items()
        if (isinstance(value, Reader) and value.line) or (isinstance(value, type) and hasattr(value, "__line__"))
    }
    defined |= {
        name for name, value in vars(types).items() if isinstance(value, type) and value.__module__ == types.__name__
    }
    assert defined - {"Address"} <= set(values.__all__)


def test_every_reader_says_how_its_argument_is_written() -> None:
    for name in values.__all__:
        reader = getattr(values, name)
        if isinstance(reader, Reader) and reader.most != 0:
            assert reader.form, name
            assert reader.schema, name
